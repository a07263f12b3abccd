package darkroom.tensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.agrona.IoUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory of this process among those of others, for its user only. A locked file next to it shows that its process is
 * alive ({@link AliveFile}); the file exists from before the directory is created until it is removed.
 */
final class LockedDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LockedDirectory.class);
    private static final String LOCK = ".lock";

    /** Maximum number of names to try. Another process can take a name only in the moment before it is locked. */
    private static final int NAMES_MAX = 10;

    private final Path path;
    private final AliveFile alive;

    private LockedDirectory(Path path, AliveFile alive) {
        this.path = path;
        this.alive = alive;
    }

    /**
     * Creates a directory with a unique name.
     *
     * @param prefix start of the name; the process number, for people, and a random part follow
     */
    static LockedDirectory create(Path parent, String prefix) throws IOException {
        IOException last = new IOException("no name in " + parent + " could be locked");
        for (int attempt = 0; attempt < NAMES_MAX; attempt++) {
            Path path = parent.resolve(
                    "%s%d-%s".formatted(prefix, ProcessHandle.current().pid(), Token.suffix()));
            AliveFile alive;
            try {
                alive = AliveFile.create(path.resolveSibling(path.getFileName() + LOCK));
            } catch (IOException e) {
                last = e;
                continue;
            }
            try {
                Files.createDirectory(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                return new LockedDirectory(path, alive);
            } catch (IOException | RuntimeException e) {
                alive.close();
                throw e;
            }
        }
        throw last;
    }

    /**
     * Removes the directories with a prefix whose processes are dead. A directory that cannot be removed stays for the next
     * sweep.
     */
    static void sweep(Path parent, String prefix) {
        try {
            AliveFile.sweep(
                    parent,
                    file -> file.getFileName().toString().startsWith(prefix)
                            && file.getFileName().toString().endsWith(LOCK),
                    lock -> {
                        String name = lock.getFileName().toString();
                        Path left = lock.resolveSibling(name.substring(0, name.length() - LOCK.length()));
                        IoUtil.delete(left.toFile(), false);
                        LOG.info("removed {}, which a dead process has left", left);
                    });
        } catch (IOException e) {
            LOG.debug("{} could not be searched for abandoned directories", parent, e);
        }
    }

    Path path() {
        return path;
    }

    /** Removes the directory with its contents, and then its lock. */
    @Override
    public void close() throws IOException {
        try (alive) {
            IoUtil.delete(path.toFile(), true);
        }
    }
}
