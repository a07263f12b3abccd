package darkroom.edittasks.pictures;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A WebP file: the picture, or the first frame of an animation on its canvas. All chunks announced by the header must be
 * present. libwebp decodes the bit streams.
 */
final class WebpFile {
    private static final int RIFF_HEADER_BYTES = 12;
    private static final int EXTENDED_BYTES = 10;
    private static final int FRAME_HEADER_BYTES = 16;
    private static final int ALPHA_FLAG = 0x10;

    private final byte[] file;
    private int canvasWidth;
    private int canvasHeight;
    private byte @Nullable [] profile;
    private byte @Nullable [] exif;
    private byte @Nullable [] alphaChunk;
    private byte @Nullable [] bitStream;
    private boolean lossless;
    private boolean animated;
    private int left;
    private int top;

    private WebpFile(byte[] file) {
        this.file = file;
    }

    static StoredPicture read(byte[] file) throws IOException {
        return new WebpFile(file).read();
    }

    private StoredPicture read() throws IOException {
        long end = 8 + intAt(4);
        if (end > file.length) {
            throw PictureException.cutOff(
                    PictureFormat.WEBP, "its header promises %d bytes and %d are there".formatted(end, file.length));
        }
        boolean frames = chunks(RIFF_HEADER_BYTES, (int) end, true);
        byte[] stream = bitStream;
        if (stream == null) {
            throw PictureException.cutOff(PictureFormat.WEBP, "it ends before its pixels (VP8 or VP8L)");
        }
        int[] size = size(stream);
        PictureReader.requireSize(PictureFormat.WEBP, size[0], size[1]);
        if (canvasWidth == 0 || !animated) {
            canvasWidth = size[0];
            canvasHeight = size[1];
        }
        PictureReader.requireSize(PictureFormat.WEBP, canvasWidth, canvasHeight);
        if (left + size[0] > canvasWidth || top + size[1] > canvasHeight) {
            throw PictureException.damaged(PictureFormat.WEBP, "its first frame leaves its canvas");
        }
        BufferedImage frame = Decoder.read(single(stream, size));
        int[] argb = frame.getRGB(0, 0, size[0], size[1], null, 0, size[0]);
        boolean covers = size[0] == canvasWidth && size[1] == canvasHeight;
        if (!covers) {
            int[] canvas = new int[canvasWidth * canvasHeight];
            for (int y = 0; y < size[1]; y++) {
                System.arraycopy(argb, y * size[0], canvas, (top + y) * canvasWidth + left, size[0]);
            }
            argb = canvas;
        }
        Samples samples = Samples.ofArgb(
                canvasWidth,
                canvasHeight,
                argb,
                !covers || frame.getColorModel().hasAlpha());
        return new StoredPicture(samples, profile, PictureReader.orientation(exif), frames);
    }

    /** Reads the chunks of the file, or of an animation's frame. Returns whether it has more than one frame. */
    private boolean chunks(int from, int end, boolean outer) throws PictureException {
        int frameCount = 0;
        int at = from;
        while (at + 8 <= end) {
            String type = new String(file, at, 4, StandardCharsets.ISO_8859_1);
            long length = intAt(at + 4);
            int body = at + 8;
            if (body + length > end) {
                throw PictureException.cutOff(
                        PictureFormat.WEBP,
                        "chunk %s at byte %d ends behind what holds it".formatted(type.strip(), at));
            }
            int to = body + (int) length;
            switch (type) {
                case "VP8X" -> {
                    if (length < EXTENDED_BYTES) {
                        throw PictureException.damaged(PictureFormat.WEBP, "its extended header is too short");
                    }
                    canvasWidth = threeAt(body + 4) + 1;
                    canvasHeight = threeAt(body + 7) + 1;
                    PictureReader.requireSize(PictureFormat.WEBP, canvasWidth, canvasHeight);
                }
                case "ICCP" -> profile = bounded(body, to);
                case "EXIF" -> exif = exif(body, to);
                case "ALPH" -> {
                    if (bitStream == null) {
                        alphaChunk = Arrays.copyOfRange(file, body, to);
                    }
                }
                case "VP8 ", "VP8L" -> {
                    if (bitStream == null) {
                        bitStream = Arrays.copyOfRange(file, body, to);
                        lossless = type.equals("VP8L");
                    }
                }
                case "ANMF" -> {
                    frameCount++;
                    if (outer && bitStream == null) {
                        if (length < FRAME_HEADER_BYTES) {
                            throw PictureException.damaged(PictureFormat.WEBP, "a frame's header is too short");
                        }
                        animated = true;
                        left = 2 * threeAt(body);
                        top = 2 * threeAt(body + 3);
                        chunks(body + FRAME_HEADER_BYTES, to, false);
                    }
                }
                default -> {}
            }
            at = to + (to & 1);
        }
        return frameCount > 1;
    }

    private byte[] bounded(int from, int to) throws PictureException {
        if (to - from > PictureReader.PROFILE_BYTES_MAX) {
            throw new PictureException(
                    PictureException.Kind.TOO_LARGE,
                    "the WebP file has a colour profile of %d bytes > limit %d (PictureReader.PROFILE_BYTES_MAX)"
                            .formatted(to - from, PictureReader.PROFILE_BYTES_MAX));
        }
        return Arrays.copyOfRange(file, from, to);
    }

    /** Returns EXIF from its byte-order mark on; some programs write the head that JPEG has before it. */
    private byte[] exif(int from, int to) {
        return Arrays.copyOfRange(
                file, to - from >= 6 && PictureFormat.begins(file, from, "Exif\0\0") ? from + 6 : from, to);
    }

    /** Returns width and height of a bit stream, in pixels. */
    private int[] size(byte[] stream) throws PictureException {
        if (lossless ? stream.length < 5 || stream[0] != 0x2f : stream.length < 10) {
            throw PictureException.damaged(PictureFormat.WEBP, "the header of its pixels is too short or altered");
        }
        if (lossless) {
            int bits = (stream[1] & 255) | (stream[2] & 255) << 8 | (stream[3] & 255) << 16 | (stream[4] & 255) << 24;
            return new int[] {(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1};
        }
        return new int[] {
            ((stream[6] & 255) | (stream[7] & 255) << 8) & 0x3fff, ((stream[8] & 255) | (stream[9] & 255) << 8) & 0x3fff
        };
    }

    /** Returns a file of this bit stream alone. */
    private byte[] single(byte[] stream, int[] size) {
        ByteArrayOutputStream body = new ByteArrayOutputStream(stream.length + 64);
        body.writeBytes("WEBP".getBytes(StandardCharsets.US_ASCII));
        byte[] alpha = alphaChunk;
        if (alpha != null && !lossless) {
            byte[] extended = new byte[EXTENDED_BYTES];
            extended[0] = ALPHA_FLAG;
            for (int i = 0; i < 3; i++) {
                extended[4 + i] = (byte) ((size[0] - 1) >> (8 * i));
                extended[7 + i] = (byte) ((size[1] - 1) >> (8 * i));
            }
            chunk(body, "VP8X", extended);
            chunk(body, "ALPH", alpha);
        }
        chunk(body, lossless ? "VP8L" : "VP8 ", stream);
        ByteArrayOutputStream single = new ByteArrayOutputStream(body.size() + 8);
        chunk(single, "RIFF", body.toByteArray());
        return single.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] body) {
        out.writeBytes(type.getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < 4; i++) {
            out.write(body.length >> (8 * i));
        }
        out.writeBytes(body);
        if ((body.length & 1) == 1) {
            out.write(0);
        }
    }

    private long intAt(int at) {
        return threeAt(at) | (file[at + 3] & 255L) << 24;
    }

    private int threeAt(int at) {
        return (file[at] & 255) | (file[at + 1] & 255) << 8 | (file[at + 2] & 255) << 16;
    }

    /** libwebp, loaded only with the first WebP picture. */
    private static final class Decoder {
        private static final String LIBRARY = "com.luciad.imageio.webp.WebPWrapper";
        private static final WebPImageReaderSpi LIBWEBP = new WebPImageReaderSpi();

        static BufferedImage read(byte[] file) throws IOException {
            ImageReader reader = LIBWEBP.createReaderInstance(null);
            try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
                reader.setInput(in, true, true);
                return reader.read(0);
            } catch (IOException e) {
                String message = String.valueOf(e.getMessage());
                if (message.endsWith("NotEnoughData") || message.endsWith("Suspended")) {
                    throw PictureException.cutOff(PictureFormat.WEBP, "it ends in the middle of its pixels");
                }
                throw PictureException.damaged(PictureFormat.WEBP, "libwebp says of its pixels: " + message);
            } catch (OutOfMemoryError e) {
                if (e.getStackTrace().length > 0
                        && e.getStackTrace()[0].getClassName().startsWith(LIBRARY)) { // a status code of libwebp
                    throw PictureException.damaged(
                            PictureFormat.WEBP, "libwebp cannot begin to decode its transparency (chunk ALPH)");
                }
                throw e;
            } catch (LinkageError e) {
                throw new PictureException(
                        PictureException.Kind.UNSUPPORTED,
                        "libwebp cannot be loaded: %s (%s must be a directory that can be written and from which libraries"
                                        .formatted(
                                                String.valueOf(e.getMessage())
                                                        .lines()
                                                        .findFirst()
                                                        .orElse("")
                                                        .toLowerCase(Locale.ROOT),
                                                System.getProperty("java.io.tmpdir"))
                                + " can be loaded)",
                        e);
            } finally {
                reader.dispose();
            }
        }
    }
}
