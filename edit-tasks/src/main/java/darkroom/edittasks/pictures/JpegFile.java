package darkroom.edittasks.pictures;

import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A JPEG file. The segments are read up to the end mark (EOI); the scans must contain every coefficient in full, and the
 * decoder must not warn. The decoder gets only the segments of the pixels and returns the components as stored, which this
 * class converts to RGB or CMYK by libjpeg's rules and formulas.
 */
final class JpegFile {
    private static final int SOI = 0xd8;
    private static final int EOI = 0xd9;
    private static final int SOS = 0xda;
    private static final int DHT = 0xc4;
    private static final int JPG = 0xc8;
    private static final int DAC = 0xcc;
    private static final int TEM = 0x01;
    private static final int RST_FIRST = 0xd0;
    private static final int RST_LAST = 0xd7;
    private static final int APP_FIRST = 0xe0;
    private static final int APP_LAST = 0xef;
    private static final int COM = 0xfe;
    private static final int PROGRESSIVE = 0xc2;
    private static final int COEFFICIENTS = 64;
    private static final int UNSEEN = 255;
    private static final int ADOBE_NONE = -1;
    private static final String EXIF = "Exif\0\0";
    private static final String ICC = "ICC_PROFILE\0";

    /** Warning of libjpeg about bytes between the last scan and the end mark; they contain no pixels. */
    private static final String PADDING = "extraneous bytes before marker 0xd9";

    private final byte[] file;
    private final ByteArrayOutputStream pixels;
    private final TreeMap<Integer, byte[]> profileParts = new TreeMap<>();
    private byte @Nullable [] exif;
    private boolean jfif;
    private int adobeTransform = ADOBE_NONE;
    private int width;
    private int height;
    private int process;
    private int[] componentIds = {};

    /** Number of low bits of each coefficient of each component still missing; {@link #UNSEEN} before its first scan. */
    private int[][] missingBits = {};

    private JpegFile(byte[] file) {
        this.file = file;
        this.pixels = new ByteArrayOutputStream(file.length);
    }

    static StoredPicture read(byte[] file) throws IOException {
        return new JpegFile(file).read();
    }

    private StoredPicture read() throws IOException {
        walk();
        if (componentIds.length == 0) {
            throw PictureException.damaged(PictureFormat.JPEG, "it has no frame header (SOF), so no size");
        }
        requireWholeScans();
        List<String> warnings = new ArrayList<>();
        Raster raster = JdkDecoders.raster("jpeg", pixels.toByteArray(), warnings);
        for (String warning : warnings) {
            if (!warning.endsWith(PADDING)) {
                throw PictureException.damaged(PictureFormat.JPEG, warning);
            }
        }
        byte[] stored = interleaved(raster);
        Samples samples =
                switch (componentIds.length) {
                    case 1 -> new Samples(width, height, Samples.Kind.GRAY, stored, null, false);
                    case 3 -> {
                        if (isYcc()) {
                            toRgb(stored, 3);
                        }
                        yield new Samples(width, height, Samples.Kind.RGB, stored, null, false);
                    }
                    default -> {
                        inks(stored);
                        yield new Samples(width, height, Samples.Kind.CMYK, stored, null, false);
                    }
                };
        return new StoredPicture(samples, profile(), PictureReader.orientation(exif), false);
    }

    /** Reads all segments, and copies those needed by the decoder. */
    private void walk() throws PictureException {
        marker(SOI);
        int at = 2;
        while (true) {
            while (at < file.length && (file[at] & 255) != 0xff) {
                at++;
            }
            while (at < file.length && (file[at] & 255) == 0xff) {
                at++;
            }
            if (at >= file.length) {
                throw cutOff("before its end mark (EOI)");
            }
            int marker = file[at++] & 255;
            if (marker == EOI) {
                marker(EOI);
                return;
            }
            if (marker == 0 || marker == TEM || marker == SOI || (marker >= RST_FIRST && marker <= RST_LAST)) {
                continue;
            }
            int length = at + 2 <= file.length ? shortAt(at) : 2;
            if (at + Math.max(2, length) > file.length) {
                throw cutOff("inside of a segment (marker %02X)".formatted(marker));
            }
            if (length < 2) {
                throw PictureException.damaged(
                        PictureFormat.JPEG, "segment %02X at byte %d has no length".formatted(marker, at));
            }
            int from = at + 2;
            int to = at + length;
            if (marker >= 0xc0 && marker <= 0xcf && marker != DHT && marker != JPG && marker != DAC) {
                frame(marker, from, to);
            }
            if (marker >= APP_FIRST && marker <= APP_LAST) {
                application(marker, from, to);
            } else if (marker != COM) {
                marker(marker);
                pixels.write(file, at, length);
            }
            at = to;
            if (marker == SOS) {
                scan(from, to);
                int end = endOfScan(at);
                pixels.write(file, at, end - at);
                at = end;
            }
        }
    }

    private void marker(int marker) {
        pixels.write(0xff);
        pixels.write(marker);
    }

    private void application(int marker, int from, int to) {
        if (marker == APP_FIRST && PictureFormat.begins(file, from, "JFIF\0")) {
            jfif = true;
        } else if (marker == APP_FIRST + 1 && exif == null && PictureFormat.begins(file, from, EXIF)) {
            exif = Arrays.copyOfRange(file, from + EXIF.length(), Math.max(to, from + EXIF.length()));
        } else if (marker == APP_FIRST + 2 && to - from > ICC.length() + 2 && PictureFormat.begins(file, from, ICC)) {
            int number = file[from + ICC.length()] & 255;
            profileParts.putIfAbsent(number, Arrays.copyOfRange(file, from + ICC.length() + 2, to));
        } else if (marker == APP_FIRST + 14 && to - from >= 12 && PictureFormat.begins(file, from, "Adobe")) {
            adobeTransform = file[from + 11] & 255;
        }
    }

    private void frame(int marker, int from, int to) throws PictureException {
        if (to - from < 6 || to - from < 6 + 3 * (file[from + 5] & 255)) {
            throw PictureException.damaged(PictureFormat.JPEG, "its frame header (SOF) is too short");
        }
        if (componentIds.length > 0) {
            throw PictureException.unsupported(PictureFormat.JPEG, "more than one frame (hierarchical coding)");
        }
        int precision = file[from] & 255;
        height = shortAt(from + 1);
        width = shortAt(from + 3);
        int components = file[from + 5] & 255;
        if (marker > PROGRESSIVE) {
            throw PictureException.unsupported(
                    PictureFormat.JPEG,
                    switch (marker) {
                        case 0xc3 -> "lossless coding (SOF3)";
                        case 0xc9, 0xca -> "arithmetic coding (SOF%d)".formatted(marker - 0xc0);
                        default -> "coding of process SOF%d".formatted(marker - 0xc0);
                    });
        }
        if (precision != 8) {
            throw PictureException.unsupported(PictureFormat.JPEG, precision + " bits a sample");
        }
        if (height == 0) {
            throw PictureException.unsupported(PictureFormat.JPEG, "its height behind the pixels (DNL)");
        }
        PictureReader.requireSize(PictureFormat.JPEG, width, height);
        if (components != 1 && components != 3 && components != 4) {
            throw PictureException.unsupported(PictureFormat.JPEG, components + " components a pixel");
        }
        process = marker;
        componentIds = new int[components];
        missingBits = new int[components][COEFFICIENTS];
        for (int c = 0; c < components; c++) {
            componentIds[c] = file[from + 6 + 3 * c] & 255;
            Arrays.fill(missingBits[c], UNSEEN);
        }
    }

    /** Records the bits of coefficients that a scan contains. */
    private void scan(int from, int to) throws PictureException {
        int components = from < to ? file[from] & 255 : 0;
        int tail = from + 1 + 2 * components;
        if (to < tail + 3) {
            throw PictureException.damaged(PictureFormat.JPEG, "a scan header (SOS) is too short");
        }
        boolean progressive = process == PROGRESSIVE;
        int first = progressive ? file[tail] & 255 : 0;
        int last = progressive ? file[tail + 1] & 255 : COEFFICIENTS - 1;
        int low = progressive ? file[tail + 2] & 15 : 0;
        for (int i = 0; i < components; i++) {
            for (int c = 0; c < componentIds.length; c++) {
                if (componentIds[c] == (file[from + 1 + 2 * i] & 255)) {
                    for (int k = first; k <= Math.min(last, COEFFICIENTS - 1); k++) {
                        missingBits[c][k] = low;
                    }
                }
            }
        }
    }

    private void requireWholeScans() throws PictureException {
        for (int[] component : missingBits) {
            for (int bits : component) {
                if (bits != 0) {
                    throw PictureException.cutOff(
                            PictureFormat.JPEG,
                            process == PROGRESSIVE
                                    ? "the last scans of a progressive picture are missing"
                                    : "the scan of a component is missing");
                }
            }
        }
    }

    /** Returns the end of the coded data of a scan: the next marker other than a restart. */
    private int endOfScan(int from) throws PictureException {
        for (int at = from; at + 1 < file.length; at++) {
            if ((file[at] & 255) == 0xff) {
                int next = file[at + 1] & 255;
                if (next != 0 && next != 0xff && (next < RST_FIRST || next > RST_LAST)) {
                    return at;
                }
            }
        }
        throw cutOff("in the middle of its pixels, before its end mark (EOI)");
    }

    private PictureException cutOff(String where) {
        return PictureException.cutOff(PictureFormat.JPEG, "it ends after %d bytes, %s".formatted(file.length, where));
    }

    private byte @Nullable [] profile() {
        if (profileParts.isEmpty()) {
            return null;
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        profileParts.values().forEach(whole::writeBytes);
        return whole.toByteArray();
    }

    private byte[] interleaved(Raster raster) throws PictureException {
        int bands = componentIds.length;
        if (raster.getNumBands() != bands
                || raster.getWidth() != width
                || raster.getHeight() != height
                || !(raster.getDataBuffer() instanceof DataBufferByte buffer)
                || !(raster.getSampleModel() instanceof ComponentSampleModel model)
                || model.getPixelStride() != bands) {
            throw PictureException.damaged(PictureFormat.JPEG, "its scans and its frame header disagree");
        }
        byte[] data = buffer.getData();
        boolean plain = data.length == bands * width * height;
        for (int b = 0; b < bands; b++) {
            plain &= model.getBandOffsets()[b] == b;
        }
        if (plain) {
            return data;
        }
        int[] values = raster.getPixels(0, 0, width, height, (int[]) null);
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /** Whether three components are luminance and colour differences, by libjpeg's rule. */
    private boolean isYcc() {
        if (jfif) {
            return true;
        }
        if (adobeTransform != ADOBE_NONE) {
            return adobeTransform != 0;
        }
        return !Arrays.equals(componentIds, new int[] {'R', 'G', 'B'});
    }

    /**
     * Converts four components to amounts of ink: stored inverted, as all programs do since Photoshop, and perhaps as YCCK.
     */
    private void inks(byte[] bytes) {
        if (adobeTransform != ADOBE_NONE && adobeTransform != 0) {
            toRgb(bytes, 4); // stored are the inverted inks as YCC of their complements: this gives the inks
            for (int i = 3; i < bytes.length; i += 4) {
                bytes[i] = (byte) (255 - (bytes[i] & 255));
            }
            return;
        }
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (255 - (bytes[i] & 255));
        }
    }

    /** Converts luminance and colour differences to red, green, blue in place, in libjpeg's fixed-point arithmetic. */
    private static void toRgb(byte[] bytes, int stride) {
        for (int i = 0; i < bytes.length; i += stride) {
            int y = bytes[i] & 255;
            int cb = (bytes[i + 1] & 255) - 128;
            int cr = (bytes[i + 2] & 255) - 128;
            bytes[i] = clamped(y + ((91881 * cr + 32768) >> 16));
            bytes[i + 1] = clamped(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
            bytes[i + 2] = clamped(y + ((116130 * cb + 32768) >> 16));
        }
    }

    private static byte clamped(int value) {
        return (byte) (value < 0 ? 0 : Math.min(value, 255));
    }

    private int shortAt(int at) {
        return (file[at] & 255) << 8 | (file[at + 1] & 255);
    }
}
