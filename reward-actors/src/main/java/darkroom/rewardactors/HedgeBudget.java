package darkroom.rewardactors;

/** Second requests that may be sent: a small share of the first ones. Not safe for several threads. */
final class HedgeBudget {
    /** Second requests per first request, in the long run. */
    static final double SHARE = .025;

    /** Second requests that may come in a row. */
    private static final double SAVED_MAX = 10;

    private double saved = 1;

    void first() {
        saved = Math.min(SAVED_MAX, saved + SHARE);
    }

    boolean takeSecond() {
        if (saved < 1) {
            return false;
        }
        saved -= 1;
        return true;
    }
}
