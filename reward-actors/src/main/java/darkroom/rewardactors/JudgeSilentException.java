package darkroom.rewardactors;

/** A judge that cannot be asked anything. The message says which, why, and what to do. */
public final class JudgeSilentException extends RuntimeException {
    private static final long serialVersionUID = 1;

    JudgeSilentException(String message) {
        super(message);
    }
}
