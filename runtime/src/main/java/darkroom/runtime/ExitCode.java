package darkroom.runtime;

/** What the process tells the shell. The numbers are part of the command line's contract. */
enum ExitCode {
    OK(0),
    FAILED(1),
    USAGE(2),
    UNSCORED(3),
    INTERRUPTED(130);

    private final int code;

    ExitCode(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
