package darkroom.rewardactors;

/** A file of a suite's items that is not what it should be. The message says where, what, and what to do. */
public final class SuiteItemsException extends RuntimeException {
    private static final long serialVersionUID = 1;

    SuiteItemsException(String message) {
        super(message);
    }
}
