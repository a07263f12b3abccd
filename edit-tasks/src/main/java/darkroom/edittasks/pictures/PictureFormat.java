package darkroom.edittasks.pictures;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The supported formats of picture files, recognised by the first bytes; the file's name is ignored. */
public enum PictureFormat {
    PNG("PNG", "png", "apng"),
    JPEG("JPEG", "jpg", "jpeg", "jpe", "jfif"),
    WEBP("WebP", "webp"),
    GIF("GIF", "gif"),
    BMP("BMP", "bmp", "dib"),
    TIFF("TIFF", "tif", "tiff");

    /** Number of bytes searched for the mark of a text format. */
    private static final int TEXT_BYTES = 1024;

    private static final Map<String, String> BOXES = Map.ofEntries(
            Map.entry("avif", "an AVIF picture"),
            Map.entry("avis", "an AVIF picture"),
            Map.entry("heic", "a HEIC picture"),
            Map.entry("heix", "a HEIC picture"),
            Map.entry("heim", "a HEIC picture"),
            Map.entry("heis", "a HEIC picture"),
            Map.entry("hevc", "a HEIC picture"),
            Map.entry("hevx", "a HEIC picture"),
            Map.entry("mif1", "a HEIF picture"),
            Map.entry("msf1", "a HEIF picture"),
            Map.entry("crx ", "a camera's raw picture (CR3)"));

    private final String title;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<String> extensions;

    PictureFormat(String title, String... extensions) {
        this.title = title;
        this.extensions = List.of(extensions);
    }

    /** Returns the name used in messages. */
    public String title() {
        return title;
    }

    /** Whether a file name has the ending of another supported format. */
    boolean contradicts(String name) {
        String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return !extensions.contains(extension)
                && Arrays.stream(values()).anyMatch(format -> format.extensions.contains(extension));
    }

    /** @throws PictureException naming the actual kind of the file, if known */
    static PictureFormat of(byte[] file) throws PictureException {
        if (begins(file, 0, "\u0089PNG")) {
            return PNG;
        }
        if (begins(file, 0, "\u00ff\u00d8")) {
            return JPEG;
        }
        if (begins(file, 0, "RIFF") && begins(file, 8, "WEBP")) {
            return WEBP;
        }
        if (begins(file, 0, "GIF87a") || begins(file, 0, "GIF89a")) {
            return GIF;
        }
        if (begins(file, 0, "BM")) {
            return BMP;
        }
        if (begins(file, 0, "II*\0") || begins(file, 0, "MM\0*")) {
            return TIFF;
        }
        String instead = instead(file);
        if (instead != null) {
            throw new PictureException(PictureException.Kind.NO_PICTURE, "the file is " + instead);
        }
        throw new PictureException(
                PictureException.Kind.UNSUPPORTED,
                "the file is " + other(file) + "; what is read: PNG, JPEG, WebP, GIF, BMP, TIFF");
    }

    /** Returns the kind of a file that is not a picture, if known. */
    private static @Nullable String instead(byte[] file) {
        if (file.length == 0) {
            return "empty";
        }
        String text = beginning(file);
        if (text.startsWith("version https://git-lfs")) {
            return "a pointer of Git LFS and not the picture itself (`git lfs pull` fetches that)";
        }
        if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
            return "an HTML page, as servers send it instead of a picture";
        }
        return null;
    }

    private static String beginning(byte[] file) {
        return new String(file, 0, Math.min(file.length, TEXT_BYTES), StandardCharsets.ISO_8859_1)
                .strip()
                .toLowerCase(Locale.ROOT);
    }

    private static String other(byte[] file) {
        if (begins(file, 4, "ftyp")) {
            return box(file);
        }
        if (begins(file, 0, "\0\0\0\fjP  ") || begins(file, 0, "\u00ffO\u00ffQ")) {
            return "a JPEG 2000 picture";
        }
        if (begins(file, 0, "\u00ff\n") || begins(file, 0, "\0\0\0\fJXL ")) {
            return "a JPEG XL picture";
        }
        if (begins(file, 0, "%PDF")) {
            return "a PDF document";
        }
        if (begins(file, 0, "II+\0") || begins(file, 0, "MM\0+")) {
            return "a BigTIFF picture";
        }
        if (begins(file, 0, "8BPS")) {
            return "a Photoshop document";
        }
        if (begins(file, 0, "\0\0\u0001\0") || begins(file, 0, "\0\0\u0002\0")) {
            return "an icon or a cursor (ICO, CUR)";
        }
        if (begins(file, 0, "v/1\u0001")) {
            return "an OpenEXR picture";
        }
        if (begins(file, 0, "qoif")) {
            return "a QOI picture";
        }
        if (begins(file, 0, "P") && file.length > 2 && file[1] >= '1' && file[1] <= '7' && file[2] <= ' ') {
            return "a Netpbm picture (PBM, PGM, PPM, PAM)";
        }
        if (begins(file, 0, "PK\u0003\u0004") || begins(file, 0, "\u001f\u008b")) {
            return "an archive (ZIP, gzip)";
        }
        String text = beginning(file);
        if (text.startsWith("<svg") || (text.startsWith("<?xml") && text.contains("<svg"))) {
            return "an SVG drawing";
        }
        return "in no known format (%d bytes)".formatted(file.length);
    }

    /** Returns the kind of a file of ISO media boxes, by its brands. */
    private static String box(byte[] file) {
        for (int at = 8; at + 4 <= Math.min(file.length, 64); at += at == 8 ? 8 : 4) {
            String brand = new String(file, at, 4, StandardCharsets.ISO_8859_1);
            String known = BOXES.get(brand);
            if (known != null && !(brand.equals("mif1") && at == 8 && text(file).contains("avif"))) {
                return known;
            }
        }
        return "a video or another file of ISO media boxes";
    }

    private static String text(byte[] file) {
        return new String(file, 0, Math.min(file.length, 64), StandardCharsets.ISO_8859_1);
    }

    /** Whether the bytes of a Latin-1 text are in the file at an offset. */
    static boolean begins(byte[] file, int offset, String mark) {
        byte[] bytes = mark.getBytes(StandardCharsets.ISO_8859_1);
        return file.length >= offset + bytes.length
                && Arrays.equals(file, offset, offset + bytes.length, bytes, 0, bytes.length);
    }
}
