package darkroom.edittasks.pictures;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Set;
import javax.imageio.ImageReader;
import javax.imageio.plugins.tiff.BaselineTIFFTagSet;
import javax.imageio.plugins.tiff.TIFFDirectory;
import javax.imageio.plugins.tiff.TIFFField;
import org.jspecify.annotations.Nullable;

/** The first page of a TIFF file. All directories, strips and tiles must be present; the JDK decodes them. */
final class TiffFile {
    private static final int WHITE_IS_ZERO = 0;
    private static final int BLACK_IS_ZERO = 1;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int CMYK = 5;
    private static final int YCC = 6;
    private static final int UNSIGNED = 1;
    private static final int DEFAULT_BITS = 1;
    private static final int NO_COMPRESSION = 1;

    /** Compressions that the JDK decodes: none, CCITT, LZW, JPEG, Deflate by both numbers, PackBits. */
    private static final Set<Integer> COMPRESSIONS = Set.of(NO_COMPRESSION, 2, 3, 4, 5, 6, 7, 8, 32946, 32773);

    private TiffFile() {}

    static StoredPicture read(byte[] file) throws IOException {
        int pages = TiffDirectories.requireWhole(file);
        return JdkDecoders.use("tiff", file, false, reader -> read(reader, pages));
    }

    private static StoredPicture read(ImageReader reader, int pages) throws IOException {
        PictureReader.requireSize(PictureFormat.TIFF, reader.getWidth(0), reader.getHeight(0));
        TIFFDirectory page = TIFFDirectory.createFromMetadata(reader.getImageMetadata(0));
        int photometric = number(page, BaselineTIFFTagSet.TAG_PHOTOMETRIC_INTERPRETATION, BLACK_IS_ZERO);
        int format = number(page, BaselineTIFFTagSet.TAG_SAMPLE_FORMAT, UNSIGNED);
        int bits = number(page, BaselineTIFFTagSet.TAG_BITS_PER_SAMPLE, DEFAULT_BITS);
        int compression = number(page, BaselineTIFFTagSet.TAG_COMPRESSION, NO_COMPRESSION);
        if (!COMPRESSIONS.contains(compression)) {
            throw PictureException.unsupported(PictureFormat.TIFF, "compression %d".formatted(compression));
        }
        if (format != UNSIGNED || bits > 16) {
            throw PictureException.unsupported(
                    PictureFormat.TIFF, "samples of %d bits that are not small whole numbers".formatted(bits));
        }
        Samples.Kind kind =
                switch (photometric) {
                    case WHITE_IS_ZERO, BLACK_IS_ZERO -> Samples.Kind.GRAY;
                    case RGB, PALETTE, YCC -> Samples.Kind.RGB;
                    case CMYK -> Samples.Kind.CMYK;
                    default ->
                        throw PictureException.unsupported(
                                PictureFormat.TIFF, "photometric interpretation %d".formatted(photometric));
                };
        BufferedImage image = reader.read(0);
        boolean hasAlpha = image.getRaster().getNumBands() == kind.bands() + 1;
        Samples samples = Samples.of(image, kind, hasAlpha);
        TIFFField profile = page.getTIFFField(BaselineTIFFTagSet.TAG_ICC_PROFILE);
        return new StoredPicture(
                samples,
                profile == null ? null : bounded(profile.getAsBytes()),
                Orientation.valid(number(page, BaselineTIFFTagSet.TAG_ORIENTATION, Orientation.UPRIGHT)),
                pages > 1);
    }

    private static byte[] bounded(byte[] profile) throws PictureException {
        if (profile.length > PictureReader.PROFILE_BYTES_MAX) {
            throw new PictureException(
                    PictureException.Kind.TOO_LARGE,
                    "the TIFF file has a colour profile of %d bytes > limit %d (PictureReader.PROFILE_BYTES_MAX)"
                            .formatted(profile.length, PictureReader.PROFILE_BYTES_MAX));
        }
        return profile;
    }

    private static int number(TIFFDirectory page, int tag, int otherwise) {
        @Nullable TIFFField field = page.getTIFFField(tag);
        return field == null ? otherwise : field.getAsInt(0);
    }
}
