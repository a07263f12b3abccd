package darkroom.rewardactors.client;

/**
 * State of a scorer endpoint as its actor reports it to the {@link ScorerPool}.
 *
 * @param name host and port
 * @param limit maximum number of requests in flight at present; at least 1
 * @param answered number of scores so far
 * @param failed number of failed requests so far
 * @param lastFault reason of the last failure; empty if none failed
 */
record EndpointStatus(
        String name,
        Availability availability,
        Circuit circuit,
        int limit,
        long answered,
        long failed,
        String lastFault) {
    /** Whether an endpoint is asked for scores. */
    sealed interface Availability {
        record InService() implements Availability {}

        /** It answered nothing while others answered: its requests went to the others. */
        record Silent(String why) implements Availability {}

        /** Its scores have drifted: it is not asked, even if it is the only one. */
        record Drifted(String why) implements Availability {}
    }

    static EndpointStatus initial(String name, int limit) {
        return new EndpointStatus(name, new Availability.InService(), Circuit.closed(), limit, 0, 0, "");
    }

    boolean isOut() {
        return !(availability instanceof Availability.InService);
    }

    boolean isDrifted() {
        return availability instanceof Availability.Drifted;
    }

    /**
     * Whether the endpoint is preferred to endpoints that fail: it does not fail, or has not been asked for a while and no
     * request is in flight that would show whether it still fails.
     */
    boolean isTrusted(int inFlight) {
        return !isOut()
                && switch (circuit) {
                    case Circuit.Closed _ -> true;
                    case Circuit.Open _ -> false;
                    case Circuit.Rested _, Circuit.HalfOpen _ -> inFlight == 0;
                };
    }

    EndpointStatus silent(String why) {
        return new EndpointStatus(name, new Availability.Silent(why), circuit, limit, answered, failed, lastFault);
    }

    /** Describes the state in one line. */
    String describe() {
        String out =
                switch (availability) {
                    case Availability.InService _ -> "";
                    case Availability.Silent(String why) -> ", out: " + why;
                    case Availability.Drifted(String why) -> ", out: " + why;
                };
        return "%s: %d answered, %d failed%s%s"
                .formatted(name, answered, failed, lastFault.isEmpty() ? "" : ", the last time: " + lastFault, out);
    }
}
