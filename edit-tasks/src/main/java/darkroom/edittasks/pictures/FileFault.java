package darkroom.edittasks.pictures;

import darkroom.config.ErrorReason;
import java.nio.file.Path;

/** Explains in words why a file could not be read or written. */
public final class FileFault {
    private FileFault() {}

    /** Returns the reason, on one line, after the name of the file if that is known; never empty and never "null". */
    public static String reason(Throwable thrown) {
        return ErrorReason.of(thrown)
                .lines()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse(thrown.getClass().getSimpleName())
                .strip();
    }

    /** Like {@link #reason(Throwable)}, without the name of a file that the message already contains. */
    public static String reason(Throwable thrown, Path named) {
        String reason = reason(thrown);
        String prefix = named + ": ";
        return reason.startsWith(prefix) ? reason.substring(prefix.length()) : reason;
    }
}
