package darkroom.edittasks.pictures;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;

/** A BMP file. Its rows must be complete; the JDK decodes them. */
final class BmpFile {
    private static final int FILE_HEADER_BYTES = 14;
    private static final int CORE_HEADER_BYTES = 12;
    private static final int INFO_HEADER_BYTES = 40;
    private static final int RGB = 0;
    private static final int RLE8 = 1;
    private static final int RLE4 = 2;
    private static final int BITFIELDS = 3;

    private BmpFile() {}

    static StoredPicture read(byte[] file) throws IOException {
        need(file, FILE_HEADER_BYTES + 4L, "inside of its header");
        long header = intAt(file, FILE_HEADER_BYTES);
        boolean core = header == CORE_HEADER_BYTES;
        if (!core && (header < INFO_HEADER_BYTES || header > 1024)) {
            throw PictureException.damaged(PictureFormat.BMP, "its header announces %d bytes".formatted(header));
        }
        need(file, FILE_HEADER_BYTES + header, "inside of its header");
        long width = core ? shortAt(file, 18) : intAt(file, 18);
        long height = core ? shortAt(file, 20) : Math.abs((long) (int) intAt(file, 22));
        int bits = shortAt(file, core ? 24 : 28);
        long compression = core ? RGB : intAt(file, 30);
        PictureReader.requireSize(PictureFormat.BMP, width, height);
        long pixels = intAt(file, 10);
        if (compression == RGB || compression == BITFIELDS) {
            need(file, pixels + (width * bits + 31) / 32 * 4 * height, "in the middle of its pixels");
        } else if (compression == RLE8 || compression == RLE4) {
            requireEndOfRuns(file, pixels, compression == RLE4);
        } else {
            throw PictureException.unsupported(
                    PictureFormat.BMP,
                    compression == 4 || compression == 5
                            ? "a JPEG or a PNG inside"
                            : "compression %d".formatted(compression));
        }
        BufferedImage image = JdkDecoders.read("bmp", file);
        boolean ofPalette = image.getColorModel() instanceof IndexColorModel;
        Samples samples = ofPalette || image.getRaster().getNumBands() == 1 // a palette of grays is decoded as gray
                ? Samples.of(image, Samples.Kind.GRAY, false)
                : Samples.ofArgb(
                        image.getWidth(),
                        image.getHeight(),
                        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()),
                        image.getColorModel().hasAlpha());
        return new StoredPicture(samples, null, Orientation.UPRIGHT, false);
    }

    /** Reads run-length codes up to the one that ends the picture. */
    private static void requireEndOfRuns(byte[] file, long from, boolean halves) throws PictureException {
        long at = from;
        while (true) {
            need(file, at + 2, "in the middle of its pixels, before the code that ends them");
            int count = file[(int) at] & 255;
            int code = file[(int) at + 1] & 255;
            at += 2;
            if (count == 0 && code == 1) {
                return;
            }
            if (count == 0 && code == 2) {
                at += 2;
            } else if (count == 0 && code > 2) {
                int bytes = halves ? (code + 1) / 2 : code;
                at += bytes + (bytes & 1);
            }
        }
    }

    private static void need(byte[] file, long bytes, String where) throws PictureException {
        if (bytes > file.length) {
            throw PictureException.cutOff(
                    PictureFormat.BMP, "it ends after %d bytes, %s".formatted(file.length, where));
        }
    }

    private static long intAt(byte[] file, int at) {
        return shortAt(file, at) | (long) shortAt(file, at + 2) << 16;
    }

    private static int shortAt(byte[] file, int at) {
        return (file[at] & 255) | (file[at + 1] & 255) << 8;
    }
}
