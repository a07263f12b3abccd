package darkroom.rewardactors.judge;

/** A judge cannot be asked anything. The message gives the judge, the reason, and what to do. */
public final class JudgeTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public JudgeTimeoutException(String message) {
        super(message);
    }
}
