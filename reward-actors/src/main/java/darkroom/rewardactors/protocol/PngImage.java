package darkroom.rewardactors.protocol;

import darkroom.config.PictureView;
import darkroom.edittasks.pictures.PictureReader;
import darkroom.edittasks.pictures.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** A picture as the bytes of a PNG file: lossless on its way to a scorer. Immutable. */
public final class PngImage {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final String DATA_URL = "data:image/png;base64,";
    private static final String JPEG_URL = "data:image/jpeg;base64,";

    private final byte[] bytes;

    private PngImage(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Wraps the bytes of a PNG file; only the signature is checked.
     *
     * @throws IllegalArgumentException if they do not begin like a PNG file
     */
    public static PngImage ofFile(byte[] file) {
        if (!hasSignature(file)) {
            throw new IllegalArgumentException(file.length + " bytes that do not begin with the PNG signature");
        }
        return new PngImage(file.clone());
    }

    /**
     * Encodes pixels.
     *
     * @param rgb UINT8 [height, width, 3]
     * @throws IllegalArgumentException if the sizes do not match
     */
    public static PngImage ofPixels(int width, int height, byte[] rgb) {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(rgb.length + " bytes are no " + width + "x" + height + " RGB picture");
        }
        int[] pixels = new int[width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = ((rgb[3 * i] & 0xff) << 16) | ((rgb[3 * i + 1] & 0xff) << 8) | (rgb[3 * i + 2] & 0xff);
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, pixels, 0, width);
        return ofImage(image);
    }

    /**
     * Reads the picture in a file with {@link PictureReader}, and encodes it again.
     *
     * @throws java.nio.file.NoSuchFileException if the file does not exist
     * @throws IOException if it is not a regular file, or not a supported picture; the message does not name the file
     */
    public static PngImage read(Path file, PictureView view) throws IOException {
        RgbImage image = PictureReader.read(file, view).image();
        return ofPixels(image.width(), image.height(), image.rgb());
    }

    static PngImage ofImage(BufferedImage image) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            if (!ImageIO.write(image, "png", stream)) {
                throw new IllegalStateException("this Java runtime has no PNG writer");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new PngImage(out.toByteArray());
    }

    static boolean hasSignature(byte[] file) {
        return file.length >= SIGNATURE.length
                && Arrays.equals(file, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
    }

    /** Decodes the picture. @throws IOException if the bytes are not a whole PNG file */
    public BufferedImage decoded() throws IOException {
        return RgbImage.decode(bytes).buffered();
    }

    public int length() {
        return bytes.length;
    }

    /** Returns a copy of the file's bytes. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** Returns the picture as a {@code data:} URL, as in chat messages. */
    public String toDataUrl() {
        return DATA_URL + Base64.getEncoder().encodeToString(bytes);
    }

    /**
     * Returns the picture as a JPEG, with loss: for comparison with clients that send one.
     *
     * @param quality 1 to 100
     * @throws UncheckedIOException if the bytes are not a whole PNG file
     */
    String toJpegUrl(int quality) {
        try {
            BufferedImage opaque = decoded();
            ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
                ImageWriteParam how = writer.getDefaultWriteParam();
                how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
                how.setCompressionQuality(quality / 100f);
                writer.setOutput(stream);
                writer.write(null, new IIOImage(opaque, null, null), how);
            } finally {
                writer.dispose();
            }
            return JPEG_URL + Base64.getEncoder().encodeToString(out.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PngImage image && Arrays.equals(bytes, image.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "PngImage(" + bytes.length + " bytes)";
    }
}
