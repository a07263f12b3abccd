package darkroom.actors;

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
 * A file whose lock says that the process that made it is alive. A lock is seen by every process that sees the file, whatever its
 * process number is and whichever namespace it is in, and the system ends it with the process.
 *
 * <p>Its name has to be one that no other process chooses ({@link Token}).
 */
public final class AliveFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AliveFile.class);

    /** Locks belong to the process: opening and closing one of these would end its lock. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel channel;

    private AliveFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Makes the file and locks it. The lock ends with {@link #close} or with this process.
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

    /** The locked file, absolute. */
    public Path path() {
        return path;
    }

    /** Whether a living process, this one among them, has the file locked. One that cannot be looked at counts as alive. */
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
     * Removes the files in a directory that dead processes have left, each after what belongs to it. Files that this user may not
     * write stay, and so do files that a living process has locked.
     *
     * @param ours which files of the directory are such files
     * @param belongings removes what belongs to an abandoned file, while nobody else can lock it
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

    /** What belongs to an abandoned file. */
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
