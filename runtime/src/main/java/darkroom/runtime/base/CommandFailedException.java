package darkroom.runtime.base;

/** Signals that a command cannot continue, for a reason that its user can read and act on. Only the message is printed. */
public class CommandFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ExitCode exitCode;

    /** Ends the command with {@link ExitCode#FAILED}. */
    public CommandFailedException(String message) {
        this(message, ExitCode.FAILED);
    }

    public CommandFailedException(String message, ExitCode exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    public CommandFailedException(String message, Throwable cause) {
        super(message, cause);
        this.exitCode = ExitCode.FAILED;
    }

    public ExitCode exitCode() {
        return exitCode;
    }
}
