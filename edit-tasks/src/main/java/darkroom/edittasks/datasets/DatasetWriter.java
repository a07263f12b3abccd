package darkroom.edittasks.datasets;

import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Writes one split of a dataset in the Edit-R1 layout. The complete metadata file appears when {@link #finish} returns; until
 * then and after a failure its lines are in a file of the same name with the suffix {@code .partial}.
 */
public final class DatasetWriter implements AutoCloseable {
    /** Directory of the pictures, relative to that of the dataset. */
    public static final String IMAGES = "images";

    private final Path directory;
    private final OutputFile output;
    private final BufferedWriter lines;

    /**
     * Creates a writer.
     *
     * @param replace whether an existing metadata file of this split may be replaced; pictures are always replaced, others
     *     are unchanged
     * @throws FileAlreadyExistsException if it exists and may not be replaced
     * @throws IOException if the directory cannot be written
     */
    public DatasetWriter(Path directory, Split split, boolean replace) throws IOException {
        this.directory = directory;
        Path file = directory.resolve(split.metadataFile());
        if (!replace && Files.exists(file)) {
            throw new FileAlreadyExistsException(file.toString());
        }
        Files.createDirectories(directory.resolve(IMAGES));
        this.output = OutputFile.at(file);
        this.lines = output.writer();
    }

    /**
     * Writes a picture as {@code images/NAME.png} and returns that path, for a field of a row.
     *
     * @param name letters, digits, dots, hyphens and underscores
     */
    public String image(String name, RgbImage image) throws IOException {
        if (!name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*")) {
            throw new IllegalArgumentException(
                    "name=" + name + " of a picture may hold letters, digits, '.', '-' and '_' and not begin with '.'");
        }
        String relative = IMAGES + "/" + name + ".png";
        Files.write(directory.resolve(relative), image.png());
        return relative;
    }

    /**
     * Copies the file of a picture to the same place below this directory.
     *
     * @param relative its path relative to its directory
     */
    void copy(Path picture, String relative) throws IOException {
        Path place = directory.resolve(relative).normalize();
        if (!place.startsWith(directory.normalize())) {
            throw new IllegalArgumentException(relative + " leads out of " + directory);
        }
        Path folder = place.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Files.copy(picture, place, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Appends a row. */
    public void row(DatasetRow row) throws IOException {
        lines.write(row.line());
        lines.write('\n');
    }

    /** Moves the metadata file to its place. */
    public void finish() throws IOException {
        lines.close();
        output.finish();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
