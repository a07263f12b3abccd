package darkroom.rewardactors.suites;

/** A file of a suite's items is invalid. The message gives the location, the fault, and what to do. */
public final class SuiteItemsException extends RuntimeException {
    private static final long serialVersionUID = 1;

    SuiteItemsException(String message) {
        super(message);
    }
}
