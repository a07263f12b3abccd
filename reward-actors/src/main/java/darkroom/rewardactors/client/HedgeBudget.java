package darkroom.rewardactors.client;

/** Budget of second requests: a small share of the first ones. Not safe for several threads. */
final class HedgeBudget {
    /** Second requests per first request, in the long run. */
    static final double SHARE = .025;

    /** Maximum number of consecutive second requests. */
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
