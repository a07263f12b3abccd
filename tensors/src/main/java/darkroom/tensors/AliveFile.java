package darkroom.tensors;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file whose lock shows that the process that created it is alive. Every process that sees the file sees the lock,
 * whatever its process number or namespace, and the system releases the lock when the process ends.
 *
 * <p>The name must be one that no other process chooses ({@link Token}).
 */
public final class AliveFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AliveFile.class);

    /** Files of this process. Locks belong to the process: opening and closing one of these would end its lock. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel channel;

    private AliveFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Creates the file and locks it. The lock ends with {@link #close} or with this process.
     *
     * @throws IOException if the directory cannot be written, or another process removed the file before it was locked
     */
    public static AliveFile create(Path file) throws IOException {
        Path path = absolute(file);
        if (!OWN.add(path)) {
            throw new FileAlreadyExistsException(path.toString());
        }
        try {
            FileChannel channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                FileLock lock = channel.tryLock();
                if (lock == null || !Files.exists(path)) {
                    throw new IOException(path + " was removed by another process before it was locked");
                }
                return new AliveFile(path, channel);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            OWN.remove(path);
            throw e;
        }
    }

    /** Returns the absolute path of the locked file. */
    public Path path() {
        return path;
    }

    /**
     * Returns whether a living process, including this one, has the file locked. A file that cannot be examined counts as
     * alive.
     */
    public static boolean isAlive(Path file) {
        if (OWN.contains(absolute(file))) {
            return true;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock == null;
        } catch (OverlappingFileLockException thisProcess) {
            return true;
        } catch (IOException e) {
            return Files.exists(file);
        }
    }

    /**
     * Removes the files that dead processes have left in a directory, each after its belongings. Files that this user
     * cannot write, and files that a living process has locked, stay.
     *
     * @param ours selects the files of the directory to examine
     * @param belongings removes what belongs to an abandoned file, while no other process can lock it
     * @throws IOException if the directory cannot be listed
     */
    static void sweep(Path directory, Predicate<Path> ours, Belongings belongings) throws IOException {
        List<Path> files;
        try (Stream<Path> children = Files.list(directory)) {
            files = children.map(AliveFile::absolute).filter(ours).toList();
        }
        for (Path file : files) {
            if (!OWN.contains(file)) {
                removeIfAbandoned(file, belongings);
            }
        }
    }

    /** Removes what belongs to an abandoned file. */
    @FunctionalInterface
    interface Belongings {
        void remove(Path abandoned) throws IOException;
    }

    private static void removeIfAbandoned(Path file, Belongings belongings) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                belongings.remove(file);
                Files.deleteIfExists(file);
            }
        } catch (OverlappingFileLockException thisProcess) {
            LOG.debug("{} is looked at by another thread", file);
        } catch (IOException e) {
            LOG.debug("{} cannot be looked at: {}", file, e.toString());
        }
    }

    private static Path absolute(Path file) {
        return file.toAbsolutePath().normalize();
    }

    /** Removes the file and ends the lock. */
    @Override
    public void close() throws IOException {
        try (channel) {
            Files.deleteIfExists(path);
        } finally {
            OWN.remove(path);
        }
    }
}
