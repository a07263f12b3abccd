package darkroom.runtime;

/** A command cannot go on for a reason that its user can read and act on. The message is all that is printed. */
class CommandFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ExitCode exitCode;

    /** Ends the command with {@link ExitCode#FAILED}. */
    CommandFailedException(String message) {
        this(message, ExitCode.FAILED);
    }

    CommandFailedException(String message, ExitCode exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    CommandFailedException(String message, Throwable cause) {
        super(message, cause);
        this.exitCode = ExitCode.FAILED;
    }

    ExitCode exitCode() {
        return exitCode;
    }
}
