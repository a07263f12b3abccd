package darkroom.edittasks.datasets;

import darkroom.config.PictureView;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.Picture;
import darkroom.edittasks.pictures.PictureConversion;
import darkroom.edittasks.pictures.PictureException;
import darkroom.edittasks.pictures.PictureReader;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A dataset in the Edit-R1 layout: a directory with {@code train_metadata.jsonl}, perhaps {@code validation_metadata.jsonl}
 * and {@code test_metadata.jsonl}, and pictures below it, usually in {@code images/}. A picture of a row must lie below the
 * directory after links are resolved. Safe for all threads.
 */
public final class DatasetDirectory {
    private final Path path;
    private final Path real;
    private final PictureView view;

    /** Opens a directory; pictures are read as displayed. @throws IOException if it does not exist or cannot be read */
    public DatasetDirectory(Path path) throws IOException {
        this(path, PictureView.DISPLAYED);
    }

    /** Opens a directory. @throws IOException if it does not exist or cannot be read */
    public DatasetDirectory(Path path, PictureView view) throws IOException {
        if (!Files.isDirectory(path)) {
            throw Files.exists(path)
                    ? new NotDirectoryException(path.toString())
                    : new NoSuchFileException(path.toString());
        }
        this.path = path;
        this.real = path.toRealPath();
        this.view = view;
    }

    public Path path() {
        return path;
    }

    /** Returns the metadata file of a split, even if it does not exist. */
    public Path metadata(Split split) {
        return path.resolve(split.metadataFile());
    }

    public boolean has(Split split) {
        return Files.isRegularFile(metadata(split));
    }

    /** Opens a split for reading. @throws IOException if its file cannot be opened */
    public DatasetReader reader(Split split) throws IOException {
        return new DatasetReader(this, metadata(split));
    }

    /** Returns the pictures of a row, in their own size. @throws DatasetFaultException naming the field and the fault */
    public DatasetImages images(DatasetRow row) throws DatasetFaultException {
        return read(row).images();
    }

    /** Returns the pictures of a row with information on their files. @throws DatasetFaultException as {@link #images} */
    public DatasetFiles read(DatasetRow row) throws DatasetFaultException {
        RowFiles read = new RowFiles();
        RgbImage source = read.image(DatasetRow.IMAGE, row.image());
        RgbImage target = read.optional(DatasetRow.TARGET, row.target());
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
        RgbImage reference = read.optional(DatasetRow.REFERENCE, row.reference());
        return new DatasetFiles(new DatasetImages(source, target, reference), read.sha256, read.conversions);
    }

    /** Reads the files of one row, and records information on them. */
    private final class RowFiles {
        private final Map<String, String> sha256 = new LinkedHashMap<>();
        private final Map<String, Set<PictureConversion>> conversions = new LinkedHashMap<>();

        private @Nullable RgbImage optional(String field, @Nullable String relative) throws DatasetFaultException {
            return relative == null ? null : image(field, relative);
        }

        private RgbImage image(String field, String relative) throws DatasetFaultException {
            String what = field + "=" + relative;
            Path file = locate(what, relative);
            try {
                byte[] content = PictureReader.bytes(file);
                sha256.put(relative, DatasetFiles.sha256(content));
                Picture picture = PictureReader.read(content, file, view);
                conversions.put(relative, picture.conversions());
                return picture.image();
            } catch (PictureException e) {
                throw new DatasetFaultException(
                        switch (e.kind()) {
                            case CUT_OFF -> DatasetFault.CUT_IMAGE;
                            case DAMAGED, NO_PICTURE -> DatasetFault.UNREADABLE_IMAGE;
                            case UNSUPPORTED -> DatasetFault.UNSUPPORTED_IMAGE;
                            case TOO_LARGE -> DatasetFault.OVERSIZED_IMAGE;
                        },
                        what + ": " + e.reason(),
                        e);
            } catch (IOException e) {
                throw new DatasetFaultException(
                        DatasetFault.UNREADABLE_IMAGE, what + ": " + FileFault.reason(e, file), e);
            }
        }
    }

    /** Returns the picture that a line names in a field. */
    RgbImage image(String field, String relative) throws DatasetFaultException {
        return new RowFiles().image(field, relative);
    }

    /** Returns the file that a row names; its real path is below this directory. */
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
            throw new DatasetFaultException(DatasetFault.MISSING_IMAGE, what + " is not there" + hint(relative), e);
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
     * A name that this process cannot represent is not a fault of the row: the rows of a run must not depend on the locale.
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

    /** Returns a hint if a file exists under another spelling; begins with a comma. */
    private String hint(String relative) {
        if (relative.indexOf('\\') >= 0 && isThere(relative.replace('\\', '/'))) {
            return ", but " + relative.replace('\\', '/') + " is: write / between directories and not \\";
        }
        for (Normalizer.Form form : List.of(Normalizer.Form.NFC, Normalizer.Form.NFD)) {
            String other = Normalizer.normalize(relative, form);
            if (!other.equals(relative) && isThere(other)) {
                return ", but a file of the same letters in Unicode form " + form
                        + " is: the names on disk and in the metadata are composed differently; write the path in form "
                        + form;
            }
        }
        int slash = Math.max(relative.lastIndexOf('/'), relative.lastIndexOf('\\'));
        if (relative.indexOf('\\') >= 0) {
            return ", and its path has \\, which separates no directories here: write /";
        }
        if (slash < 0 && isThere("images/" + relative)) {
            return ", but images/" + relative + " is: paths are relative to the dataset's directory";
        }
        return "";
    }

    private boolean isThere(String relative) {
        try {
            Path file = real.resolve(relative).normalize();
            return file.startsWith(real) && Files.isRegularFile(file);
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
