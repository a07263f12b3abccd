package darkroom.rewardactors.suites;

import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.PictureReader;
import darkroom.edittasks.pictures.PillowResize;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScorerFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Finds, reads and decodes the pictures of a suite. Few are decoded at a time, since a large one takes a hundred megabytes.
 */
final class SuitePictures {
    private final PictureView view;
    private final Semaphore decoders =
            new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()));

    SuitePictures(PictureView view) {
        this.view = view;
    }

    /** A picture that cannot be shown; carries {@code code: detail}. */
    static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1;

        UnusableException(String code, String detail) {
            super(ScorerFault.permanent(code, detail).reason(), null, false, false);
        }
    }

    /** The unmodified content of a file. */
    static final class Encoded {
        private final Path file;
        private final byte[] bytes;
        private final String sha256;

        private Encoded(Path file, byte[] bytes) {
            this.file = file;
            this.bytes = bytes;
            this.sha256 = SuitePictures.sha256(bytes);
        }

        /** Digest of the bytes, in hexadecimal. */
        String sha256() {
            return sha256;
        }
    }

    /** Returns the first existing file of these. */
    static Optional<Path> first(List<Path> places) {
        return places.stream().filter(Files::exists).findFirst();
    }

    /** @param what name of the picture in the reason */
    static Encoded read(String what, List<Path> places) throws UnusableException {
        Path file = first(places)
                .orElseThrow(() -> new UnusableException(
                        "no-image",
                        "no %s: %s%s"
                                .formatted(
                                        what,
                                        places.getFirst(),
                                        places.size() == 1 ? " is not there" : " or another of its places")));
        try {
            return new Encoded(file, PictureReader.bytes(file));
        } catch (IOException e) {
            throw new UnusableException("bad-image", file + ": " + ErrorReason.of(e));
        }
    }

    /** Both pictures as shown to the judge. */
    record Shown(PngImage original, PngImage edited) {
        long bytes() {
            return (long) original.length() + edited.length();
        }
    }

    /** @param fitted whether the edit is resized to the original */
    Shown shown(Encoded original, Encoded edited, boolean fitted) throws UnusableException, InterruptedException {
        decoders.acquire();
        try {
            RgbImage before = decoded(original);
            RgbImage after = decoded(edited);
            return new Shown(
                    png(before),
                    png(
                            fitted
                                    ? PillowResize.resized(
                                            after, before.width(), before.height(), PillowResize.Filter.BICUBIC)
                                    : after));
        } finally {
            decoders.release();
        }
    }

    private RgbImage decoded(Encoded picture) throws UnusableException {
        try {
            return PictureReader.read(picture.bytes, view).image();
        } catch (IOException e) {
            throw new UnusableException("bad-image", picture.file + ": " + ErrorReason.of(e));
        }
    }

    private static PngImage png(RgbImage image) {
        return PngImage.ofPixels(image.width(), image.height(), image.rgb());
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
