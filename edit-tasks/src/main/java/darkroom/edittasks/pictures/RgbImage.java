package darkroom.edittasks.pictures;

import darkroom.config.PictureView;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** An 8-bit RGB picture: rows from the top, pixels from the left, three bytes per pixel. Equal by content; immutable. */
public final class RgbImage {
    private final int width;
    private final int height;
    private final byte[] rgb;

    private RgbImage(int width, int height, byte[] rgb) {
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /**
     * Creates a picture from a copy of {@code rgb}.
     *
     * @param rgb {@code 3 * width * height} bytes
     */
    public static RgbImage of(int width, int height, byte[] rgb) {
        return owning(width, height, rgb.clone());
    }

    /** Creates a picture that takes ownership of {@code rgb}. */
    public static RgbImage owning(int width, int height, byte[] rgb) {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "bytes=" + rgb.length + " but a " + width + "x" + height + " RGB picture has 3*width*height");
        }
        return new RgbImage(width, height, rgb);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** Returns a copy of the bytes, interleaved: red, green, blue of the first pixel, then of the next to its right. */
    public byte[] rgb() {
        return rgb.clone();
    }

    public byte[] bytes() {
        return rgb;
    }

    /** Returns channel {@code c} (0 red, 1 green, 2 blue) of pixel (x, y), from 0 to 255. */
    public int channel(int x, int y, int c) {
        return rgb[(y * width + x) * 3 + c] & 255;
    }

    /** Writes the picture as [3, height, width] floats {@code value / 127.5 - 1} from {@code out[offset]} on. */
    public void planar(float[] out, int offset) {
        int pixels = width * height;
        for (int c = 0; c < 3; c++) {
            for (int p = 0; p < pixels; p++) {
                out[offset + c * pixels + p] = (rgb[p * 3 + c] & 255) / 127.5f - 1f;
            }
        }
    }

    /** Inverts {@link #planar}: values are clamped to [-1, 1] and rounded; NaN becomes 0 (black). */
    public static RgbImage fromPlanar(float[] planar, int offset, int width, int height) {
        int pixels = width * height;
        byte[] rgb = new byte[3 * pixels];
        for (int c = 0; c < 3; c++) {
            for (int p = 0; p < pixels; p++) {
                float value = Math.clamp(planar[offset + c * pixels + p], -1f, 1f);
                rgb[p * 3 + c] = (byte) Math.round((value + 1f) * 127.5f);
            }
        }
        return new RgbImage(width, height, rgb);
    }

    /** Returns the picture as a PNG file, lossless. */
    public byte[] png() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(rgb.length / 2 + 128);
        try (MemoryCacheImageOutputStream stream =
                new MemoryCacheImageOutputStream(out)) { // a file cache would be closed by SIGTERM
            if (!ImageIO.write(buffered(), "png", stream)) {
                throw new IllegalStateException("this Java runtime has no PNG writer; use a full JDK");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /**
     * Reads the picture in the bytes of a file with {@link PictureReader}.
     *
     * @throws PictureException if the bytes are not a picture, or one that is rejected
     */
    public static RgbImage decode(byte[] encoded) throws PictureException {
        return PictureReader.read(encoded, PictureView.DISPLAYED).image();
    }

    /** Returns the picture as it looks on white. */
    public static RgbImage from(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        int[] argb = new int[width];
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, argb, 0, width);
            for (int x = 0; x < width; x++) {
                int alpha = argb[x] >>> 24;
                for (int c = 0; c < 3; c++) {
                    int value = argb[x] >> (16 - 8 * c) & 255;
                    rgb[(y * width + x) * 3 + c] = (byte) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
                }
            }
        }
        return new RgbImage(width, height, rgb);
    }

    /** Returns the central square, {@code side} pixels wide: area averages where it shrinks, bilinear where it grows. */
    public RgbImage square(int side) {
        int middle = Math.min(width, height);
        int left = (width - middle) / 2;
        int top = (height - middle) / 2;
        if (middle <= side) {
            BufferedImage grown = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = grown.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(buffered(), 0, 0, side, side, left, top, left + middle, top + middle, null);
            graphics.dispose();
            return from(grown);
        }
        byte[] shrunk = new byte[3 * side * side];
        double scale = (double) middle / side;
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                for (int c = 0; c < 3; c++) {
                    double mean = average(left + x * scale, top + y * scale, scale, c);
                    shrunk[(y * side + x) * 3 + c] = (byte) Math.round(mean);
                }
            }
        }
        return new RgbImage(side, side, shrunk);
    }

    /** Returns the central square at its own resolution: as wide as the shorter side. Of an odd rest, the larger part is right or below. */
    public RgbImage centreSquare() {
        int side = Math.min(width, height);
        int left = (width - side) / 2;
        int top = (height - side) / 2;
        byte[] square = new byte[3 * side * side];
        for (int y = 0; y < side; y++) {
            System.arraycopy(rgb, ((top + y) * width + left) * 3, square, y * side * 3, side * 3);
        }
        return new RgbImage(side, side, square);
    }

    /** Returns the mean of a channel over a square of fractional bounds. */
    private double average(double fromX, double fromY, double side, int c) {
        double sum = 0;
        double area = 0;
        for (int y = (int) fromY; y < Math.min(height, Math.ceil(fromY + side)); y++) {
            double high = Math.min(y + 1, fromY + side) - Math.max(y, fromY);
            for (int x = (int) fromX; x < Math.min(width, Math.ceil(fromX + side)); x++) {
                double wide = Math.min(x + 1, fromX + side) - Math.max(x, fromX);
                sum += high * wide * channel(x, y, c);
                area += high * wide;
            }
        }
        return sum / area;
    }

    /** Returns the picture with every pixel as a square of {@code factor} by {@code factor}. */
    public RgbImage magnified(int factor) {
        byte[] large = new byte[rgb.length * factor * factor];
        int wide = width * factor;
        for (int y = 0; y < height * factor; y++) {
            for (int x = 0; x < wide; x++) {
                System.arraycopy(rgb, ((y / factor) * width + x / factor) * 3, large, (y * wide + x) * 3, 3);
            }
        }
        return new RgbImage(wide, height * factor, large);
    }

    /** Returns the picture as an image of type {@link BufferedImage#TYPE_INT_RGB}. */
    public BufferedImage buffered() {
        int[] packed = new int[width * height];
        for (int p = 0; p < packed.length; p++) {
            packed[p] = ((rgb[p * 3] & 255) << 16) | ((rgb[p * 3 + 1] & 255) << 8) | (rgb[p * 3 + 2] & 255);
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, packed, 0, width);
        return image;
    }

    /** Returns the SHA-256 over width, height and bytes, in hexadecimal. */
    public String sha256() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((width + "x" + height + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(digest.digest(rgb));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof RgbImage that && width == that.width && Arrays.equals(rgb, that.rgb);
    }

    @Override
    public int hashCode() {
        return 31 * width + Arrays.hashCode(rgb);
    }

    @Override
    public String toString() {
        return "RgbImage[" + width + "x" + height + " " + sha256().substring(0, 12) + "]";
    }
}
