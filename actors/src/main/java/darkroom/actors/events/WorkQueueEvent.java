package darkroom.actors.events;

import java.time.Duration;

/** An event about workers, from a queue or the node of its workers. It never affects a result. */
public sealed interface WorkQueueEvent extends RunEvent {
    /**
     * Returns the name of the queue, which is the role of its workers, for instance {@code rollout}; of a worker supervisor,
     * {@code node}.
     */
    String role();

    record WorkerJoined(String role, String worker, int capacity) implements WorkQueueEvent {}

    /**
     * A worker is gone.
     *
     * @param leases its units, now leased to others
     */
    record WorkerLost(String role, String worker, int leases) implements WorkQueueEvent {}

    /** The worker was silent for too long; another one processes the unit. */
    record LeaseExpired(String role, String worker, String unit) implements WorkQueueEvent {}

    /** A device could not process a unit; it is retried elsewhere. */
    record WorkFailed(String role, String worker, String unit, String message) implements WorkQueueEvent {}

    /** The workers of a device slot keep ending. It gets further ones, at a bounded rate. */
    record DeviceSlotFailing(String role, String worker, int endsInARow) implements WorkQueueEvent {}

    /**
     * Promise P-4: units wait and no worker exists. The queue waits for one, however long.
     *
     * @param units waiting units
     */
    record NobodyThere(String role, int units) implements WorkQueueEvent {}

    /**
     * Promise P-4: units wait and none was finished for {@code waited}.
     *
     * @param worker holder of the oldest lease; {@code nobody} if no worker exists
     * @param unit the oldest unit, with its step and group
     * @param acted whether the unit was taken away from the worker now, and the worker stopped
     */
    record Stalled(String role, String worker, String unit, Duration waited, boolean acted) implements WorkQueueEvent {}

    /**
     * Variation of the scores that a scorer of another node gives to the same question.
     *
     * @param scorer host and port
     * @param count scores received
     * @param mean of the scores, 0 to 1
     * @param std their standard deviation
     * @param range the largest less the smallest
     */
    record NoiseMeasured(String role, String scorer, int count, double mean, double std, double range)
            implements WorkQueueEvent {}
}
