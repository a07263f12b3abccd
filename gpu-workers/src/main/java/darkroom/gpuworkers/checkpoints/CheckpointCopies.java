package darkroom.gpuworkers.checkpoints;

import darkroom.config.ErrorReason;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of a run's checkpoints in another place: a directory of another disk or of a network file system, or of any file
 * system installed in this Java, also an object store. The place needs neither renaming nor forcing to the disk: in a copy
 * the manifest, which has the digests of all other files, is written last and deleted first, so that a copy without one does
 * not count, and one that does not match is rejected (promise P-7).
 */
public final class CheckpointCopies {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointCopies.class);
    private static final String MANIFEST = "manifest.json";

    private final Path place;

    private CheckpointCopies(Path place) {
        this.place = place;
    }

    /**
     * Opens the place of the copies.
     *
     * @param where a path, or a URI such as {@code s3://bucket/runs/mine}
     * @throws IllegalArgumentException if no file system for such a URI is installed
     */
    public static CheckpointCopies in(String where) {
        try {
            return new CheckpointCopies(where.contains("://") ? Path.of(URI.create(where)) : Path.of(where));
        } catch (FileSystemNotFoundException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "checkpoints.copy-to=\"%s\": there is no such place: %s. A URI needs a provider of java.nio.file on the class path, DARKROOM_CLASS_PATH"
                            .formatted(where, ErrorReason.of(e)),
                    e);
        }
    }

    /** Copies a checkpoint, and removes the copies of those that are no longer kept. */
    public void take(Path checkpoint, List<Path> kept) throws IOException {
        Path copy = place.resolve(checkpoint.getFileName().toString());
        Files.createDirectories(copy);
        Files.deleteIfExists(copy.resolve(MANIFEST));
        for (Path file : files(checkpoint)) {
            copy(file, copy);
        }
        copy(checkpoint.resolve(MANIFEST), copy);
        Set<String> names = new HashSet<>();
        kept.forEach(one -> names.add(one.getFileName().toString()));
        for (Path old : checkpoints(place)) {
            if (!names.contains(old.getFileName().toString())) {
                Files.deleteIfExists(old.resolve(MANIFEST));
                for (Path file : files(old)) {
                    Files.deleteIfExists(file);
                }
                Files.deleteIfExists(old);
            }
        }
    }

    /**
     * Restores copies that are whole and newer than every whole checkpoint in {@code directory}. A torn checkpoint there is
     * moved aside by a whole copy of the same step.
     *
     * @param directory of the run's own checkpoints
     * @return names of the restored ones
     */
    public List<String> restore(Path directory) throws IOException {
        OptionalInt newest = OptionalInt.empty();
        for (Path own : Files.isDirectory(directory) ? checkpoints(directory) : List.<Path>of()) {
            int step = Checkpoints.step(own).orElseThrow();
            if (isWhole(own) && step > newest.orElse(-1)) {
                newest = OptionalInt.of(step);
            }
        }
        List<String> brought = new ArrayList<>();
        for (Path copy : Files.isDirectory(place) ? checkpoints(place) : List.<Path>of()) {
            String name = copy.getFileName().toString();
            if (Checkpoints.step(Path.of(name)).orElseThrow() <= newest.orElse(-1)) {
                continue;
            }
            Path partial = directory.resolve(name + ".brought");
            Files.createDirectories(partial);
            for (Path file : files(copy)) {
                copy(file, partial);
            }
            if (!Files.exists(copy.resolve(MANIFEST))) {
                LOG.warn("{} has no manifest: it was never finished", copy);
                remove(partial);
                continue;
            }
            copy(copy.resolve(MANIFEST), partial);
            if (!isWhole(partial)) {
                LOG.error("{} does not match its manifest", copy);
                remove(partial);
                continue;
            }
            Path own = directory.resolve(name);
            if (Files.exists(own)) {
                Files.move(own, directory.resolve(name + ".torn"), StandardCopyOption.REPLACE_EXISTING);
            }
            Files.move(partial, own, StandardCopyOption.ATOMIC_MOVE);
            LOG.warn("checkpoint {} comes from its copy in {}", name, place);
            brought.add(name);
        }
        return brought;
    }

    private static boolean isWhole(Path checkpoint) throws IOException {
        try {
            var _ = Checkpoints.verify(checkpoint);
            return true;
        } catch (CheckpointException torn) {
            LOG.debug("{} is not whole", checkpoint, torn);
            return false;
        }
    }

    /** Returns all files except the manifest. */
    private static List<Path> files(Path checkpoint) throws IOException {
        List<Path> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(checkpoint)) {
            for (Path file : files) {
                if (!file.getFileName().toString().equals(MANIFEST)) {
                    all.add(file);
                }
            }
        }
        return all;
    }

    private static List<Path> checkpoints(Path directory) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> Checkpoints.step(
                                    Path.of(path.getFileName().toString().replace("/", "")))
                            .isPresent())
                    .toList();
        }
    }

    private static void copy(Path file, Path into) throws IOException {
        Files.copy(file, into.resolve(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
    }

    private static void remove(Path directory) throws IOException {
        for (Path file : files(directory)) {
            Files.delete(file);
        }
        Files.deleteIfExists(directory.resolve(MANIFEST));
        Files.delete(directory);
    }
}
