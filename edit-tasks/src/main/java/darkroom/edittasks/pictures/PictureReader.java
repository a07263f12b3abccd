package darkroom.edittasks.pictures;

import darkroom.config.PictureView;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads picture files: PNG, JPEG, WebP, GIF, BMP and TIFF, by content, as 8-bit sRGB. All external pictures are read here. A
 * truncated or damaged file is rejected and never read in part; {@code docs/pictures.md} has the whole table. Safe for all
 * threads.
 */
public final class PictureReader {
    /** Largest file, in bytes. */
    public static final long FILE_BYTES_MAX = 64L << 20;

    /** Largest width or height, in pixels. */
    public static final int SIDE_MAX = 8192;

    /** Maximum number of pixels. */
    public static final int PIXELS_MAX = 1 << 25;

    /** Largest colour profile after decompression, in bytes. */
    public static final int PROFILE_BYTES_MAX = 16 << 20;

    private PictureReader() {}

    /**
     * Reads the picture in a file.
     *
     * @throws java.nio.file.NoSuchFileException if the file does not exist
     * @throws IOException if it is not a regular file, or a {@link PictureException}; the message does not name the file
     */
    public static Picture read(Path file, PictureView view) throws IOException {
        return read(bytes(file), file, view);
    }

    /**
     * Reads the picture in the content of a file.
     *
     * @param file its name is compared with the content
     */
    public static Picture read(byte[] content, Path file, PictureView view) throws PictureException {
        Picture picture = read(content, view);
        Path name = file.getFileName();
        if (name == null || !picture.format().contradicts(name.toString())) {
            return picture;
        }
        Set<PictureConversion> conversions = EnumSet.of(PictureConversion.OTHER_FORMAT);
        conversions.addAll(picture.conversions());
        return new Picture(picture.image(), picture.format(), conversions);
    }

    /**
     * Returns the bytes of a file that may be a picture.
     *
     * @throws IOException if it is not a regular file (a pipe or a device may never end), or larger than {@link
     *     #FILE_BYTES_MAX}
     */
    public static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file) && Files.exists(file)) {
            throw new IOException("no regular file");
        }
        long size = Files.size(file);
        if (size > FILE_BYTES_MAX) {
            throw new PictureException(
                    PictureException.Kind.TOO_LARGE,
                    "the file has %d bytes > limit %d (PictureReader.FILE_BYTES_MAX)".formatted(size, FILE_BYTES_MAX));
        }
        return Files.readAllBytes(file);
    }

    /**
     * Reads the picture in the bytes of a file. @throws PictureException if they are not a picture, or one that is rejected
     */
    public static Picture read(byte[] file, PictureView view) throws PictureException {
        PictureFormat format = PictureFormat.of(file);
        StoredPicture stored;
        try {
            stored = switch (format) {
                case PNG -> PngFile.read(file);
                case JPEG -> JpegFile.read(file);
                case WEBP -> WebpFile.read(file);
                case GIF -> GifFile.read(file);
                case BMP -> BmpFile.read(file);
                case TIFF -> TiffFile.read(file);
            };
        } catch (PictureException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw decoderFault(format, e);
        }
        return shown(stored, format, view);
    }

    /** Converts the exception of a decoder for a file with a complete structure. */
    private static PictureException decoderFault(PictureFormat format, Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof EOFException) {
                return new PictureException(
                        PictureException.Kind.CUT_OFF,
                        "the " + format.title() + " file is cut off: it ends in the middle of its pixels",
                        e);
            }
        }
        String message = e instanceof IOException ? e.getMessage() : null; // others describe programs
        String detail = message == null || message.isBlank()
                ? "the decoder fails on its pixels (%s), or does not know this variant of the format"
                        .formatted(e.getClass().getSimpleName())
                : message.lines().findFirst().orElse(message);
        return new PictureException(
                PictureException.Kind.DAMAGED, "the " + format.title() + " file is damaged: " + detail, e);
    }

    /** @throws PictureException above {@link #SIDE_MAX} or {@link #PIXELS_MAX}, or without a size; before any allocation */
    static void requireSize(PictureFormat format, long width, long height) throws PictureException {
        if (width < 1 || height < 1) {
            throw PictureException.damaged(format, "its size is %dx%d pixels".formatted(width, height));
        }
        if (width > SIDE_MAX || height > SIDE_MAX) {
            throw new PictureException(
                    PictureException.Kind.TOO_LARGE,
                    "the %s picture has %dx%d pixels > limit %d a side (PictureReader.SIDE_MAX)"
                            .formatted(format.title(), width, height, SIDE_MAX));
        }
        if (width * height > PIXELS_MAX) {
            throw new PictureException(
                    PictureException.Kind.TOO_LARGE,
                    "the %s picture has %dx%d = %d pixels > limit %d (PictureReader.PIXELS_MAX)"
                            .formatted(format.title(), width, height, width * height, PIXELS_MAX));
        }
    }

    private static Picture shown(StoredPicture stored, PictureFormat format, PictureView view) {
        Set<PictureConversion> conversions = EnumSet.noneOf(PictureConversion.class);
        Samples samples = stored.samples();
        if (samples.kind() == Samples.Kind.GRAY) {
            conversions.add(PictureConversion.GRAY);
        }
        if (samples.kind() == Samples.Kind.CMYK) {
            conversions.add(PictureConversion.CMYK);
        }
        if (samples.deep()) {
            conversions.add(PictureConversion.DEEP);
        }
        if (stored.frames()) {
            conversions.add(PictureConversion.FRAMES);
        }
        byte[] rgb = null;
        byte[] profile = stored.profile();
        if (view == PictureView.DISPLAYED && profile != null) {
            switch (ColourProfile.toSrgb(profile, samples)) {
                case ColourProfile.Result.Converted(byte[] converted) -> {
                    conversions.add(PictureConversion.PROFILE);
                    rgb = converted;
                }
                case ColourProfile.Result.Unusable() -> conversions.add(PictureConversion.PROFILE_IGNORED);
                case ColourProfile.Result.AlreadySrgb() -> {}
            }
        }
        if (rgb == null) {
            rgb = plain(samples);
        }
        byte[] alpha = samples.alpha();
        if (view == PictureView.DISPLAYED && alpha != null && overWhite(rgb, alpha)) {
            conversions.add(PictureConversion.ALPHA);
        }
        RgbImage image = RgbImage.owning(samples.width(), samples.height(), rgb);
        if (view == PictureView.DISPLAYED && stored.orientation() > 1) {
            conversions.add(PictureConversion.ORIENTATION);
            image = Orientation.applied(image, stored.orientation());
        }
        return new Picture(image, format, conversions);
    }

    /** Converts to RGB by the plain formulas: gray three times, CMYK as ink on white. */
    private static byte[] plain(Samples samples) {
        byte[] bytes = samples.bytes();
        int pixels = samples.width() * samples.height();
        return switch (samples.kind()) {
            case RGB -> bytes;
            case GRAY -> {
                byte[] rgb = new byte[3 * pixels];
                for (int p = 0; p < pixels; p++) {
                    rgb[3 * p] = bytes[p];
                    rgb[3 * p + 1] = bytes[p];
                    rgb[3 * p + 2] = bytes[p];
                }
                yield rgb;
            }
            case CMYK -> {
                byte[] rgb = new byte[3 * pixels];
                for (int p = 0; p < pixels; p++) {
                    int light = 255 - (bytes[4 * p + 3] & 255);
                    for (int c = 0; c < 3; c++) {
                        rgb[3 * p + c] = (byte) (light - product(bytes[4 * p + c] & 255, light));
                    }
                }
                yield rgb;
            }
        };
    }

    /** Composes the colours over white in place; returns whether that changed a pixel's colour or could have. */
    private static boolean overWhite(byte[] rgb, byte[] alpha) {
        boolean transparent = false;
        for (int p = 0; p < alpha.length; p++) {
            int opacity = alpha[p] & 255;
            if (opacity < 255) {
                transparent = true;
                for (int c = 0; c < 3; c++) {
                    int value = rgb[3 * p + c] & 255;
                    rgb[3 * p + c] = (byte) ((value * opacity + 255 * (255 - opacity) + 127) / 255);
                }
            }
        }
        return transparent;
    }

    /** Returns the product of two numbers of 255ths, rounded. */
    private static int product(int a, int b) {
        int t = a * b + 128;
        return ((t >> 8) + t) >> 8;
    }

    /** Returns the orientation in a block of EXIF, 1 if it gives none. */
    static int orientation(byte @Nullable [] exif) {
        return exif == null ? 1 : Orientation.of(exif);
    }
}
