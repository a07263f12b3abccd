package darkroom.edittasks.pictures;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * A PNG file. Every chunk up to IEND must be complete, with the right checksum; the JDK's decoder gets only the chunks of the
 * pixels, so that it unpacks no text or profile.
 */
final class PngFile {
    private static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";
    private static final int CHUNK_FRAME = 12;
    private static final int HEADER_BYTES = 13;
    private static final int GRAY_BIT_OFF = 2;
    private static final int ALPHA_BIT = 4;

    private PngFile() {}

    static StoredPicture read(byte[] file) throws IOException {
        if (!PictureFormat.begins(file, 0, SIGNATURE)) {
            throw PictureException.damaged(
                    PictureFormat.PNG, "its first 8 bytes are altered, as a transfer in text mode does");
        }
        ByteArrayOutputStream pixels = new ByteArrayOutputStream(file.length);
        pixels.write(file, 0, SIGNATURE.length());
        byte[] profile = null;
        byte[] exif = null;
        boolean frames = false;
        boolean data = false;
        int colourType = -1;
        int at = SIGNATURE.length();
        String type = "";
        while (!type.equals("IEND")) {
            long length = at + 8 <= file.length ? Integer.toUnsignedLong(intAt(file, at)) : 0;
            if (at + CHUNK_FRAME + length > file.length) {
                throw PictureException.cutOff(PictureFormat.PNG, cutWhere(file, at, type));
            }
            type = new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
            int from = at + 8;
            int to = from + (int) length;
            CRC32 crc = new CRC32();
            crc.update(file, at + 4, to - at - 4);
            if ((int) crc.getValue() != intAt(file, to)) {
                throw PictureException.damaged(
                        PictureFormat.PNG,
                        "the checksum of chunk %s at byte %d is wrong".formatted(printable(type), at));
            }
            if (colourType < 0) {
                if (!type.equals("IHDR") || length != HEADER_BYTES) {
                    throw PictureException.damaged(
                            PictureFormat.PNG, "it begins with chunk %s and not with IHDR".formatted(printable(type)));
                }
                colourType = file[from + 9];
                PictureReader.requireSize(
                        PictureFormat.PNG,
                        Integer.toUnsignedLong(intAt(file, from)),
                        Integer.toUnsignedLong(intAt(file, from + 4)));
            }
            switch (type) {
                case "IHDR", "PLTE", "tRNS", "IEND" -> pixels.write(file, at, to + 4 - at);
                case "IDAT" -> {
                    data = true;
                    pixels.write(file, at, to + 4 - at);
                }
                case "iCCP" -> profile = profile(file, from, to);
                case "eXIf" -> exif = Arrays.copyOfRange(file, from, to);
                case "acTL" -> frames = true;
                default -> {}
            }
            at = to + 4;
        }
        if (!data) {
            throw PictureException.damaged(PictureFormat.PNG, "it has no chunk IDAT, so no pixels");
        }
        BufferedImage image = JdkDecoders.read("png", pixels.toByteArray());
        int bands = image.getRaster().getNumBands();
        boolean hasAlpha = (colourType & ALPHA_BIT) != 0 || bands == 2 || bands == 4;
        Samples samples =
                Samples.of(image, (colourType & GRAY_BIT_OFF) == 0 ? Samples.Kind.GRAY : Samples.Kind.RGB, hasAlpha);
        return new StoredPicture(
                colourType == 0 ? asGray(samples) : samples, profile, PictureReader.orientation(exif), frames);
    }

    /** Undoes the palette by which gray of less than 8 bits is decoded. */
    private static Samples asGray(Samples samples) {
        if (samples.kind() == Samples.Kind.GRAY) {
            return samples;
        }
        byte[] gray = new byte[samples.width() * samples.height()];
        for (int p = 0; p < gray.length; p++) {
            gray[p] = samples.bytes()[3 * p];
        }
        return new Samples(samples.width(), samples.height(), Samples.Kind.GRAY, gray, samples.alpha(), false);
    }

    private static String cutWhere(byte[] file, int at, String before) {
        if (at + 8 <= file.length) {
            return "it ends after %d bytes, inside of chunk %s"
                    .formatted(file.length, printable(new String(file, at + 4, 4, StandardCharsets.ISO_8859_1)));
        }
        return "it ends after %d bytes%s, before its end mark (IEND)"
                .formatted(file.length, before.isEmpty() ? "" : ", behind chunk " + printable(before));
    }

    /** Returns the ICC profile of a chunk iCCP; empty, and so unusable, if it cannot be unpacked. */
    private static byte @Nullable [] profile(byte[] file, int from, int to) throws PictureException {
        int name = from;
        while (name < to && file[name] != 0) {
            name++;
        }
        Inflater inflater = new Inflater();
        try {
            ByteArrayOutputStream profile = new ByteArrayOutputStream();
            if (name + 2 < to) {
                inflater.setInput(file, name + 2, to - name - 2);
                byte[] buffer = new byte[8192];
                int n = inflater.inflate(buffer);
                while (n > 0) {
                    profile.write(buffer, 0, n);
                    if (profile.size() > PictureReader.PROFILE_BYTES_MAX) {
                        throw new PictureException(
                                PictureException.Kind.TOO_LARGE,
                                "the PNG file has a colour profile of more than %d bytes (PictureReader.PROFILE_BYTES_MAX)"
                                        .formatted(PictureReader.PROFILE_BYTES_MAX));
                    }
                    n = inflater.inflate(buffer);
                }
            }
            return profile.toByteArray();
        } catch (DataFormatException e) {
            return new byte[0];
        } finally {
            inflater.end();
        }
    }

    private static String printable(String type) {
        return type.matches("[A-Za-z]{4}") ? type : "of no valid type";
    }

    private static int intAt(byte[] file, int at) {
        return (file[at] & 255) << 24 | (file[at + 1] & 255) << 16 | (file[at + 2] & 255) << 8 | (file[at + 3] & 255);
    }
}
