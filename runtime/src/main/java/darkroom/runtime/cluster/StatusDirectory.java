package darkroom.runtime.cluster;

import com.sun.security.auth.module.UnixSystem;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ProcessSpace;
import darkroom.tensors.AliveFile;
import darkroom.tensors.Token;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
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
 * The directory in which processes of one user on one machine find each other's status pages: one file
 * {@code PID-RANDOM.url} each, next to a file that is locked while the process lives, in
 * {@code $XDG_RUNTIME_DIR/darkroom/nodes}, or in {@code darkroom-UID/nodes} of the directory for temporary files. Needs
 * neither {@code HOME} nor {@code USER}.
 *
 * <p>Containers may share the directory while their process numbers and loopback addresses are private: each file names
 * the namespaces of both ({@link ProcessSpace}).
 *
 * <p>Commands trust the addresses in it, so no other user may write them: a directory must have mode 0700 and this user
 * as its owner, or it is refused.
 */
final class StatusDirectory {
    private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rwx------");
    private static final String UID = "unix:uid";
    static final String PAGE = ".url";
    static final String ALIVE = ".alive";

    private final List<Path> candidates;
    private final int uid;

    /**
     * Creates the directory's view.
     *
     * @param candidates directories whose {@code nodes} may have pages; the first is written to
     * @param uid of the user who must own them
     */
    StatusDirectory(List<Path> candidates, int uid) {
        this.candidates = List.copyOf(candidates);
        this.uid = uid;
    }

    /** Returns the directories of the user of this process. */
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
     * Returns the directory that pages are written to; it is created if missing.
     *
     * @throws CommandFailedException if it exists, and another user can write to it
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

    /** Returns the candidates that exist. */
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

    /** Returns a name for the files of this process that no other process chooses. */
    static String name() {
        return ProcessHandle.current().pid() + "-" + Token.suffix();
    }

    /**
     * Returns the file content for a page of this process: its address, and the namespaces of its process number and
     * address.
     */
    static List<String> lines(String url) {
        return List.of(url, ProcessSpace.HERE.processes(), ProcessSpace.HERE.network());
    }

    /** Returns the page of a process of this process namespace, if it has one yet. */
    Optional<String> page(long pid) {
        try {
            return pages().stream()
                    .filter(found -> found.pid() == pid && found.process())
                    .map(StatusPage.Found::url)
                    .findFirst();
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /**
     * Returns the pages of living processes that this process reaches, the youngest file first. Deletes files of dead
     * ones.
     */
    List<StatusPage.Found> pages() throws IOException {
        record Page(StatusPage.Found found, FileTime written) {}
        List<Page> all = new ArrayList<>();
        for (Path directory : there()) {
            List<Path> files;
            try (Stream<Path> list = Files.list(directory)) {
                files = list.filter(file -> file.getFileName().toString().matches("\\d{1,18}-[0-9a-f]+\\" + PAGE))
                        .toList();
            }
            for (Path file : files) {
                String name = file.getFileName().toString();
                Path alive = file.resolveSibling(name.substring(0, name.length() - PAGE.length()) + ALIVE);
                if (!AliveFile.isAlive(alive)) {
                    Files.deleteIfExists(file);
                    Files.deleteIfExists(alive);
                    continue;
                }
                try {
                    FileTime written = Files.getLastModifiedTime(file);
                    found(Files.readAllLines(file), Long.parseLong(name.substring(0, name.indexOf('-'))))
                            .ifPresent(found -> all.add(new Page(found, written)));
                } catch (NoSuchFileException closedMeanwhile) {
                    // its process has ended since the directory was listed
                }
            }
        }
        all.sort(Comparator.comparing(Page::written).reversed());
        return all.stream().map(Page::found).toList();
    }

    private static Optional<StatusPage.Found> found(List<String> lines, long pid) {
        return lines.size() == 3 && lines.get(2).equals(ProcessSpace.HERE.network())
                ? Optional.of(
                        new StatusPage.Found(pid, lines.getFirst(), lines.get(1).equals(ProcessSpace.HERE.processes())))
                : Optional.empty();
    }
}
