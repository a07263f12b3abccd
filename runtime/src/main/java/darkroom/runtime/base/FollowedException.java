package darkroom.runtime.base;

/** Signals that another process has taken over the run or its ledger, so that this process must not touch it. */
public final class FollowedException extends CommandFailedException {
    private static final long serialVersionUID = 1;

    public FollowedException(String message) {
        super(message);
    }
}
