package darkroom.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.EOFException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Text for the user from an exception. Many exceptions of the JDK have no message, or only a file name, and those of
 * libraries may recommend a switch of the library; such messages are not repeated.
 */
public final class ErrorReason {
    private static final int CAUSES_MAX = 16;

    private ErrorReason() {}

    /** Returns the message, else that of a cause, else the meaning of the exception's class; never empty or {@code null}. */
    public static String of(Throwable thrown) {
        return of(thrown, CAUSES_MAX);
    }

    /** Returns {@link #of} after the position in the text: {@code line 1, column 7: ...}; without it if it is unknown. */
    public static String located(JsonProcessingException thrown) {
        JsonLocation at = thrown.getLocation();
        return at == null || at.getLineNr() < 1
                ? of(thrown)
                : "line %d, column %d: %s".formatted(at.getLineNr(), Math.max(1, at.getColumnNr()), of(thrown));
    }

    private static String of(Throwable thrown, int causesMax) {
        Throwable cause = thrown.getCause();
        boolean wraps = thrown instanceof ExecutionException
                || thrown instanceof CompletionException
                || (thrown instanceof UncheckedIOException && repeats(thrown, cause));
        if (wraps && cause != null && causesMax > 0) {
            return of(cause, causesMax - 1);
        }
        String special = special(thrown);
        if (special != null) {
            return special;
        }
        String message = said(thrown);
        if (message != null) {
            return message;
        }
        String meaning = meaning(thrown);
        if (meaning != null) {
            return meaning;
        }
        return cause != null && causesMax > 0 ? of(cause, causesMax - 1) : named(thrown);
    }

    /** Whether the message is the one that the constructor derives from the cause. */
    private static boolean repeats(Throwable thrown, @Nullable Throwable cause) {
        return cause != null && cause.toString().equals(thrown.getMessage());
    }

    private static @Nullable String special(Throwable thrown) {
        return switch (thrown) {
            case JsonProcessingException json -> json(json);
            case FileSystemException file -> file(file);
            case UnknownHostException host when said(host) != null -> "host " + said(host) + " has no address";
            case CharacterCodingException _ -> "the bytes are not UTF-8 text";
            default -> null;
        };
    }

    private static @Nullable String said(Throwable thrown) {
        String message = thrown.getMessage();
        return message == null || message.isBlank() || message.equals("null") ? null : message;
    }

    private static String json(JsonProcessingException thrown) {
        String message = thrown.getOriginalMessage();
        if (message == null || message.isBlank()) {
            return "the text is not JSON";
        }
        return message.lines()
                .findFirst()
                .orElse(message)
                .replaceFirst(" \\((?:start marker|for .*? starting) at \\[Source: .*?]\\)", "")
                .replaceFirst(":? ?enable `[^`]*` to allow", " is not allowed")
                .replaceFirst(" \\(not recognized as one since Feature '[^']*' not enabled for parser\\)", "")
                .replaceFirst("(\\d), from `[^`]*`\\)", "$1)")
                .replaceFirst(" \\(bound as `[^`]*`\\): not allowed as per `[^`]*`", "");
    }

    private static String file(FileSystemException thrown) {
        String reason = thrown.getReason();
        String meaning =
                switch (thrown) {
                    case NoSuchFileException _ -> "no such file or directory";
                    case AccessDeniedException _ -> "permission denied";
                    case FileAlreadyExistsException _ -> "the file exists already";
                    case DirectoryNotEmptyException _ -> "the directory is not empty";
                    case NotDirectoryException _ -> "not a directory";
                    case NotLinkException _ -> "not a symbolic link";
                    case FileSystemLoopException _ -> "symbolic links form a loop";
                    case AtomicMoveNotSupportedException _ -> "it cannot be moved between file systems in one step";
                    default -> "the file system reports an error";
                };
        String why = reason == null || reason.isBlank() ? meaning : reason;
        String file = thrown.getFile();
        String other = thrown.getOtherFile();
        return (file == null ? "" : file + (other == null ? "" : " -> " + other) + ": ") + why;
    }

    private static @Nullable String meaning(Throwable thrown) {
        return switch (thrown) {
            case ConnectException _ -> "connection refused, or no route to the host";
            case UnknownHostException _, UnresolvedAddressException _ -> "the host name has no address";
            case EOFException _ -> "the data end too early";
            case ClosedChannelException _ -> "the connection or file was closed";
            case ReadOnlyFileSystemException _ -> "the file system is read-only";
            case TimeoutException _ -> "no answer in time";
            case InterruptedException _ -> "interrupted";
            case CancellationException _ -> "cancelled";
            case OutOfMemoryError _ -> "out of memory";
            case StackOverflowError _ -> "nested too deeply";
            default -> null;
        };
    }

    /** Returns "buffer underflow (BufferUnderflowException)" for {@code java.nio.BufferUnderflowException}. */
    private static String named(Throwable thrown) {
        String name = thrown.getClass().getSimpleName();
        String words = name.replaceFirst("(Exception|Error)$", "")
                .replaceAll("(?<=[a-z])(?=[A-Z])", " ")
                .toLowerCase(Locale.ROOT)
                .strip();
        return words.isEmpty()
                ? "an error without a message, " + thrown.getClass().getName()
                : words + " (" + name + ")";
    }
}
