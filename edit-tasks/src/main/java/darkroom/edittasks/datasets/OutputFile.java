package darkroom.edittasks.datasets;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * An output file named by a user. It replaces an existing file only when it is complete; until then, and after a failure, the
 * old file is unchanged. A link stays a link: its target is replaced. A target that cannot be replaced, such as a named pipe,
 * a device or a file below {@code /dev} and {@code /proc}, is written directly.
 */
public final class OutputFile {
    private static final int LINKS_MAX = 40;

    private final Path target;
    private final Path place;

    private OutputFile(Path target, Path place) {
        this.target = target;
        this.place = place;
    }

    /**
     * Creates the directories above the file.
     *
     * @throws IOException if the name is that of a directory, or of a broken link
     */
    public static OutputFile at(Path name) throws IOException {
        Path target = name;
        for (int links = 0; Files.isSymbolicLink(target) && !isSystem(target); links++) {
            if (links == LINKS_MAX) {
                throw new FileSystemLoopException(name.toString());
            }
            target = target.resolveSibling(Files.readSymbolicLink(target));
        }
        if (Files.isDirectory(target)) {
            throw new IOException(name + " is a directory");
        }
        if (isSystem(target) || (Files.exists(target, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(target))) {
            return new OutputFile(target, target);
        }
        Path parent = target.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        return new OutputFile(target, target.resolveSibling(target.getFileName() + ".partial"));
    }

    private static boolean isSystem(Path file) {
        Path absolute = file.toAbsolutePath();
        return absolute.startsWith("/dev") || absolute.startsWith("/proc");
    }

    /**
     * Returns the file to write to before {@link #finish}: one beside the named file, or the target itself if it cannot be
     * replaced.
     */
    public Path place() {
        return place;
    }

    /** Opens {@link #place} for lines of UTF-8. The caller closes it. */
    public BufferedWriter writer() throws IOException {
        return Files.newBufferedWriter(place);
    }

    /** Forces the complete file to the disk and moves it to its place. */
    public void finish() throws IOException {
        if (place.equals(target)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(place, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        try {
            Files.move(place, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(place, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Removes the data written so far. */
    public void discard() throws IOException {
        if (!place.equals(target)) {
            Files.deleteIfExists(place);
        }
    }

    /** Writes a whole file. After a failure no part of it is left. @throws IOException if it cannot be written */
    public static void write(Path name, byte[] content) throws IOException {
        OutputFile file = at(name);
        try {
            try (OutputStream out = Files.newOutputStream(file.place)) {
                out.write(content);
            }
            file.finish();
        } catch (IOException e) {
            try {
                file.discard();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** Writes a whole file of UTF-8. @throws IOException as {@link #write(Path, byte[])} */
    public static void write(Path name, String content) throws IOException {
        write(name, content.getBytes(StandardCharsets.UTF_8));
    }
}
