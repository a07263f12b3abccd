package darkroom.runtime;

/** Another process goes on with the run, or has its ledger: this one is not to touch it. */
final class FollowedException extends CommandFailedException {
    private static final long serialVersionUID = 1;

    FollowedException(String message) {
        super(message);
    }
}
