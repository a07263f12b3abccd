package darkroom.actors;

import java.time.Duration;

/** What a desk, or the node of its workers, tells of them. Nothing here reaches a result. */
public sealed interface DeskEvent extends RunEvent {
    /** Name of the desk, which is what its workers do, for instance {@code draw}; of a warden, {@code node}. */
    String role();

    record WorkerJoined(String role, String worker, int capacity) implements DeskEvent {}

    /** @param leases units that others will do now */
    record WorkerLost(String role, String worker, int leases) implements DeskEvent {}

    /** The worker was not heard of in time; another one does the unit. */
    record LeaseExpired(String role, String worker, String unit) implements DeskEvent {}

    /** A device could not do a unit; it is done again elsewhere. */
    record WorkFailed(String role, String worker, String unit, String message) implements DeskEvent {}

    /** The workers of a seat keep ending. It gets further ones, at a bounded pace. */
    record SeatAiling(String role, String worker, int endsInARow) implements DeskEvent {}

    /**
     * Promise P-4: work waits and no worker is there at all. The desk waits for one, however long.
     *
     * @param units that wait
     */
    record NobodyThere(String role, int units) implements DeskEvent {}

    /**
     * Promise P-4: work waits and nothing was finished for {@code waited}.
     *
     * @param worker who holds the oldest lease; {@code nobody} if no worker is there
     * @param unit the oldest unit, with its step and group
     * @param acted whether the unit was taken away from the worker now, and the worker stopped
     */
    record Stalled(String role, String worker, String unit, Duration waited, boolean acted) implements DeskEvent {}

    /**
     * How much the score of one and the same question varies at a scorer of another node.
     *
     * @param scorer host and port
     * @param count scores that came
     * @param mean of the scores, 0 to 1
     * @param std their standard deviation
     * @param range the largest less the smallest
     */
    record NoiseMeasured(String role, String scorer, int count, double mean, double std, double range)
            implements DeskEvent {}
}
