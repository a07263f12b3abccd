package darkroom.edittasks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A dataset in the Edit-R1 layout: a directory with {@code train_metadata.jsonl}, perhaps {@code validation_metadata.jsonl} and
 * {@code test_metadata.jsonl}, and pictures below it, usually in {@code images/}. A picture that a row names must lie below
 * the directory, links followed. Safe for all threads.
 */
public final class DatasetDirectory {
    /** Largest file of a picture, in bytes. */
    public static final long IMAGE_BYTES_MAX = 64L << 20;

    private final Path path;
    private final Path real;

    /** @throws IOException if there is no such directory or it cannot be read */
    public DatasetDirectory(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw Files.exists(path)
                    ? new NotDirectoryException(path.toString())
                    : new NoSuchFileException(path.toString());
        }
        this.path = path;
        this.real = path.toRealPath();
    }

    public Path path() {
        return path;
    }

    /** The metadata file of a split, whether it is there or not. */
    public Path metadata(Split split) {
        return path.resolve(split.metadataFile());
    }

    public boolean has(Split split) {
        return Files.isRegularFile(metadata(split));
    }

    /** Begins to read a split. @throws IOException if its file cannot be opened */
    public DatasetReader reader(Split split) throws IOException {
        return new DatasetReader(this, metadata(split));
    }

    /** The pictures of a row, in their own size. @throws DatasetFaultException naming the field and what is wrong with it */
    public DatasetImages images(DatasetRow row) throws DatasetFaultException {
        return read(row).images();
    }

    /** The pictures of a row with the digests of their files. @throws DatasetFaultException as {@link #images} */
    public DatasetFiles read(DatasetRow row) throws DatasetFaultException {
        Map<String, String> sha256 = new LinkedHashMap<>();
        RgbImage source = image(DatasetRow.IMAGE, row.image(), sha256);
        RgbImage target = optional(DatasetRow.TARGET, row.target(), sha256);
        if (target != null && (target.width() != source.width() || target.height() != source.height())) {
            throw new DatasetFaultException(
                    DatasetFault.TARGET_SIZE,
                    "target=%s has %dx%d pixels, but image=%s has %dx%d"
                            .formatted(
                                    row.target(),
                                    target.width(),
                                    target.height(),
                                    row.image(),
                                    source.width(),
                                    source.height()));
        }
        RgbImage reference = optional(DatasetRow.REFERENCE, row.reference(), sha256);
        return new DatasetFiles(new DatasetImages(source, target, reference), sha256);
    }

    private @Nullable RgbImage optional(String field, @Nullable String relative, Map<String, String> sha256)
            throws DatasetFaultException {
        return relative == null ? null : image(field, relative, sha256);
    }

    /** A picture that a line names in a field. */
    RgbImage image(String field, String relative) throws DatasetFaultException {
        return image(field, relative, new LinkedHashMap<>());
    }

    /** @param sha256 gets the digest of the file, by its path */
    private RgbImage image(String field, String relative, Map<String, String> sha256) throws DatasetFaultException {
        String what = field + "=" + relative;
        Path file = locate(what, relative);
        try {
            long bytes = Files.size(file);
            if (bytes > IMAGE_BYTES_MAX) {
                throw new DatasetFaultException(
                        DatasetFault.OVERSIZED_IMAGE, what + " has " + bytes + " bytes > limit " + IMAGE_BYTES_MAX);
            }
            byte[] content = Files.readAllBytes(file);
            sha256.put(relative, DatasetFiles.sha256(content));
            return RgbImage.decode(content);
        } catch (OversizedImageException e) {
            throw new DatasetFaultException(DatasetFault.OVERSIZED_IMAGE, what + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new DatasetFaultException(DatasetFault.UNREADABLE_IMAGE, what + ": " + FileFault.reason(e), e);
        }
    }

    /** The file that a row names; its real place is below this directory. */
    Path locate(String what, String relative) throws DatasetFaultException {
        Path place;
        try {
            place = Path.of(relative);
        } catch (InvalidPathException e) {
            requireRepresentable(what, relative);
            throw new DatasetFaultException(DatasetFault.MISSING_IMAGE, what + " is no path: " + e.getReason(), e);
        }
        if (place.isAbsolute() || !real.resolve(place).normalize().startsWith(real)) {
            throw new DatasetFaultException(DatasetFault.PATH_OUTSIDE, what + " leads out of the dataset's directory");
        }
        Path file;
        try {
            file = real.resolve(place).toRealPath();
        } catch (NoSuchFileException e) {
            throw new DatasetFaultException(DatasetFault.MISSING_IMAGE, what + " is not there", e);
        } catch (IOException e) {
            throw new DatasetFaultException(
                    DatasetFault.UNREADABLE_IMAGE, what + " cannot be read: " + FileFault.reason(e), e);
        }
        if (!file.startsWith(real)) {
            throw new DatasetFaultException(
                    DatasetFault.PATH_OUTSIDE, what + " is a link that leads out of the dataset's directory");
        }
        if (!Files.isRegularFile(file)) {
            throw new DatasetFaultException(DatasetFault.MISSING_IMAGE, what + " is no file");
        }
        return file;
    }

    /**
     * A name that this process cannot represent is no fault of the row: which rows a run learns from must not depend on the locale.
     *
     * @throws UncheckedIOException naming the encoding and what to do
     */
    private static void requireRepresentable(String what, String relative) {
        String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
        if (!Charset.forName(encoding).newEncoder().canEncode(relative)) {
            throw new UncheckedIOException(new IOException(what + ": this process names files in " + encoding
                    + ", which has no such characters; start it with LC_ALL=C.UTF-8 in the environment"));
        }
    }
}
