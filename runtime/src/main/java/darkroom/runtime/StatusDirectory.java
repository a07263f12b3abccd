package darkroom.runtime;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where processes of one user on one machine find the status pages of each other: a file {@code PID.url} each, in {@code
 * $XDG_RUNTIME_DIR/darkroom/nodes}, or in {@code darkroom-UID/nodes} of the directory for temporary files. Needs neither {@code
 * HOME} nor {@code USER}.
 *
 * <p>Commands follow the addresses that are there, so nobody else may write them: a directory has mode 0700 and this user as its
 * owner, or is refused.
 */
final class StatusDirectory {
    private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rwx------");
    private static final String UID = "unix:uid";

    private final List<Path> candidates;
    private final int uid;

    /**
     * @param candidates directories whose {@code nodes} may have pages; the first is written to
     * @param uid of the user whose they are to be
     */
    StatusDirectory(List<Path> candidates, int uid) {
        this.candidates = List.copyOf(candidates);
        this.uid = uid;
    }

    /** Those of the user of this process. */
    static StatusDirectory of(Map<String, String> environment) {
        int uid = (int) new UnixSystem().getUid();
        List<Path> all = new ArrayList<>();
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (runtime.startsWith("/") && isOwnedBy(uid, Path.of(runtime))) {
            all.add(Path.of(runtime, "darkroom"));
        }
        all.add(Path.of(System.getProperty("java.io.tmpdir"), "darkroom-" + Integer.toUnsignedString(uid)));
        return new StatusDirectory(all, uid);
    }

    private static boolean isOwnedBy(int uid, Path directory) {
        try {
            return Files.isDirectory(directory)
                    && Files.getAttribute(directory, UID).equals(uid);
        } catch (IOException unreadable) {
            return false;
        }
    }

    /**
     * The directory that pages are written to; made if it is not there.
     *
     * @throws CommandFailedException if it is there, and another user can write to it
     */
    Path make() throws IOException {
        Path own = candidates.getFirst();
        Path pages = nodes(own);
        for (Path each : List.of(own, pages)) {
            try {
                Files.createDirectory(each, PosixFilePermissions.asFileAttribute(OWN));
            } catch (FileAlreadyExistsException there) {
                requireOwn(each);
            }
        }
        return pages;
    }

    private static Path nodes(Path candidate) {
        return candidate.resolve("nodes");
    }

    private void requireOwn(Path directory) throws IOException {
        PosixFileAttributes found =
                Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        boolean own = found.isDirectory()
                && Files.getAttribute(directory, UID, LinkOption.NOFOLLOW_LINKS).equals(uid)
                && found.permissions().equals(OWN);
        if (!own) {
            throw new CommandFailedException(
                    "%s holds the addresses of status pages and is not this user's alone: %s of user %s with mode %s, expected a directory of user %s with mode %s. Remove it, or set XDG_RUNTIME_DIR to a directory of yours."
                            .formatted(
                                    directory,
                                    found.isDirectory() ? "a directory" : "no directory",
                                    found.owner().getName(),
                                    PosixFilePermissions.toString(found.permissions()),
                                    Integer.toUnsignedString(uid),
                                    PosixFilePermissions.toString(OWN)));
        }
    }

    /** Candidates that are there. */
    private List<Path> there() throws IOException {
        List<Path> all = new ArrayList<>();
        for (Path candidate : candidates) {
            if (Files.isDirectory(nodes(candidate))) {
                requireOwn(candidate);
                requireOwn(nodes(candidate));
                all.add(nodes(candidate));
            }
        }
        return all;
    }

    /** The page of a process, if it has one by now. */
    Optional<String> page(long pid) {
        try {
            for (Path directory : there()) {
                Path file = directory.resolve(pid + ".url");
                if (Files.isRegularFile(file)) {
                    return Optional.of(Files.readString(file));
                }
            }
        } catch (IOException gone) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    /** Pages of living processes, the youngest file first. Files of dead ones are deleted. */
    List<StatusPage.Found> pages() throws IOException {
        record Page(StatusPage.Found found, FileTime written) {}
        List<Page> all = new ArrayList<>();
        for (Path directory : there()) {
            List<Path> files;
            try (Stream<Path> list = Files.list(directory)) {
                files = list.filter(file -> file.getFileName().toString().matches("\\d{1,18}\\.url"))
                        .toList();
            }
            for (Path file : files) {
                String name = file.getFileName().toString();
                long pid = Long.parseLong(name.substring(0, name.indexOf('.')));
                if (ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false)) {
                    all.add(new Page(
                            new StatusPage.Found(pid, Files.readString(file)), Files.getLastModifiedTime(file)));
                } else {
                    Files.deleteIfExists(file);
                }
            }
        }
        all.sort(Comparator.comparing(Page::written).reversed());
        return all.stream().map(Page::found).toList();
    }
}
