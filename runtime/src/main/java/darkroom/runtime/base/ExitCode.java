package darkroom.runtime.base;

/** Exit codes of the process. The numbers are part of the command line's contract. */
public enum ExitCode {
    OK(0),
    FAILED(1),
    USAGE(2),
    UNSCORED(3),
    INTERRUPTED(130);

    private final int code;

    ExitCode(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }
}
