package darkroom.edittasks;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Why a file could not be read or written, in words: many exceptions of the platform have the name of the file as their message. */
public final class FileFault {
    private FileFault() {}

    /** As {@link #reason(Throwable)}, without the name of a file that the message names already. */
    public static String reason(Throwable thrown, Path named) {
        String reason = reason(thrown);
        String prefix = named + ": ";
        return reason.startsWith(prefix) ? reason.substring(prefix.length()) : reason;
    }

    /** The reason, on one line, after the name of the file if that is known; never empty and never "null". */
    public static String reason(Throwable thrown) {
        return switch (thrown) {
            case UncheckedIOException unchecked when unchecked.getCause() != null -> reason(unchecked.getCause());
            case NoSuchFileException missing -> of(missing, "there is no such file or directory");
            case AccessDeniedException denied -> of(denied, "permission denied");
            case FileAlreadyExistsException there -> of(there, "it exists already");
            case NotDirectoryException file -> of(file, "it is no directory");
            case DirectoryNotEmptyException full -> of(full, "the directory is not empty");
            case FileSystemLoopException loop -> of(loop, "the links lead in a circle");
            case NotLinkException file -> of(file, "it is no link");
            case FileSystemException other -> of(other, other.getClass().getSimpleName());
            default -> oneLine(thrown.getMessage(), thrown.getClass().getSimpleName());
        };
    }

    private static String of(FileSystemException e, String usual) {
        String reason = oneLine(e.getReason(), usual);
        return e.getFile() == null ? reason : e.getFile() + ": " + reason;
    }

    private static String oneLine(@Nullable String message, String otherwise) {
        return message == null
                ? otherwise
                : message.lines().filter(line -> !line.isBlank()).findFirst().orElse(otherwise);
    }
}
