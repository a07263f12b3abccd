package darkroom.rewardactors.client;

/**
 * Budget of retries without delay: a fifth of the calls, and {@link #SAVED_MAX} more at once. Not safe for several threads.
 */
final class RetryBudget {
    private static final double SHARE = .2;
    private static final double SAVED_MAX = 200;

    private double saved = SAVED_MAX;

    void first() {
        saved = Math.min(SAVED_MAX, saved + SHARE);
    }

    boolean takeRetry() {
        if (saved < 1) {
            return false;
        }
        saved -= 1;
        return true;
    }
}
