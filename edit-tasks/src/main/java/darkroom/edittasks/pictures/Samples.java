package darkroom.edittasks.pictures;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import org.jspecify.annotations.Nullable;

/**
 * The samples of a picture as stored in its file, 8 bits each: no colour management, no orientation, no transparency applied.
 *
 * @param bytes UINT8 [height, width, {@code kind.bands}]
 * @param alpha UINT8 [height, width], 255 where the picture is opaque; null if it is opaque everywhere
 * @param deep whether the file has more than 8 bits per sample
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Samples(int width, int height, Kind kind, byte[] bytes, byte @Nullable [] alpha, boolean deep) {
    /** Meaning of the samples of a pixel. */
    enum Kind {
        /** One sample: 0 black, 255 white. */
        GRAY(1),

        /** Red, green, blue. */
        RGB(3),

        /** Cyan, magenta, yellow, black: 0 no ink, 255 all. */
        CMYK(4);

        private final int bands;

        Kind(int bands) {
            this.bands = bands;
        }

        int bands() {
            return bands;
        }
    }

    Samples {
        if (bytes.length != (long) width * height * kind.bands()
                || (alpha != null && alpha.length != (long) width * height)) {
            throw new IllegalArgumentException(
                    "samples=" + bytes.length + " are no " + width + "x" + height + " " + kind);
        }
    }

    /**
     * Returns the samples of a decoded picture, by its raster and not by its colour space.
     *
     * @param kind of the bands other than alpha; ignored where the picture has a palette
     * @param hasAlpha whether the last band is alpha
     */
    static Samples of(BufferedImage image, Kind kind, boolean hasAlpha) {
        Raster raster = image.getRaster();
        if (image.getColorModel() instanceof IndexColorModel palette) {
            return indexed(raster, palette);
        }
        int width = image.getWidth();
        int height = image.getHeight();
        int bands = kind.bands();
        int all = bands + (hasAlpha ? 1 : 0);
        if (raster.getNumBands() != all) {
            throw new IllegalArgumentException("%d bands, but %s%s has %d"
                    .formatted(raster.getNumBands(), kind, hasAlpha ? " with alpha" : "", all));
        }
        boolean deep = false;
        int[] max = new int[all];
        for (int b = 0; b < all; b++) {
            int bits = raster.getSampleModel().getSampleSize(b);
            deep |= bits > 8;
            max[b] = (1 << bits) - 1;
        }
        if (!hasAlpha && isPlain(raster)) {
            return new Samples(width, height, kind, ((DataBufferByte) raster.getDataBuffer()).getData(), null, false);
        }
        byte[] bytes = new byte[width * height * bands];
        byte[] alpha = hasAlpha ? new byte[width * height] : null;
        boolean multiplied = hasAlpha && image.isAlphaPremultiplied();
        int[] row = new int[width * all];
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int opacity = 255;
                if (alpha != null) {
                    opacity = eight(row[x * all + bands], max[bands]);
                    alpha[y * width + x] = (byte) opacity;
                }
                for (int b = 0; b < bands; b++) {
                    int value = eight(row[x * all + b], max[b]);
                    if (multiplied) {
                        value = opacity == 0 ? 0 : Math.min(255, (value * 255 + opacity / 2) / opacity);
                    }
                    bytes[(y * width + x) * bands + b] = (byte) value;
                }
            }
        }
        return new Samples(width, height, kind, bytes, alpha, deep);
    }

    /** Whether the raster's bytes are in order: rows from the top, pixels from the left, bands in turn. */
    private static boolean isPlain(Raster raster) {
        if (!(raster.getDataBuffer() instanceof DataBufferByte buffer)
                || buffer.getNumBanks() != 1
                || !(raster.getSampleModel() instanceof ComponentSampleModel model)) {
            return false;
        }
        int bands = raster.getNumBands();
        boolean inOrder = model.getPixelStride() == bands && model.getScanlineStride() == bands * raster.getWidth();
        for (int b = 0; b < bands; b++) {
            inOrder &= model.getBandOffsets()[b] == b;
        }
        return inOrder
                && buffer.getOffset() == 0
                && buffer.getData().length == bands * raster.getWidth() * raster.getHeight();
    }

    private static Samples indexed(Raster raster, IndexColorModel palette) {
        int width = raster.getWidth();
        int height = raster.getHeight();
        int[] colours = new int[palette.getMapSize()];
        palette.getRGBs(colours);
        byte[] bytes = new byte[3 * width * height];
        byte[] alpha = palette.hasAlpha() ? new byte[width * height] : null;
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
            for (int x = 0; x < width; x++) {
                int p = y * width + x;
                int argb = row[x] < colours.length ? colours[row[x]] : 0xff000000;
                bytes[3 * p] = (byte) (argb >> 16);
                bytes[3 * p + 1] = (byte) (argb >> 8);
                bytes[3 * p + 2] = (byte) argb;
                if (alpha != null) {
                    alpha[p] = (byte) (argb >>> 24);
                }
            }
        }
        return new Samples(width, height, Kind.RGB, bytes, alpha, false);
    }

    private static int eight(int value, int max) {
        return max == 255 ? value : (int) ((value * 255L + max / 2) / max);
    }

    /** Returns the pixels of a picture as ARGB integers, not multiplied by alpha. */
    static Samples ofArgb(int width, int height, int[] argb, boolean hasAlpha) {
        byte[] bytes = new byte[3 * width * height];
        byte[] alpha = hasAlpha ? new byte[width * height] : null;
        for (int p = 0; p < argb.length; p++) {
            bytes[3 * p] = (byte) (argb[p] >> 16);
            bytes[3 * p + 1] = (byte) (argb[p] >> 8);
            bytes[3 * p + 2] = (byte) argb[p];
            if (alpha != null) {
                alpha[p] = (byte) (argb[p] >>> 24);
            }
        }
        return new Samples(width, height, Kind.RGB, bytes, alpha, false);
    }
}
