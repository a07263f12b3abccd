package darkroom.config;

import java.time.Duration;

/**
 * Bounds of all queues and buffers (promise P-9).
 *
 * @param groupsInFlightMax groups opened and not yet ended
 * @param leaseTime a lease whose worker is silent for this long is given to another
 * @param heartbeatEvery interval of heartbeats of a worker with leases
 * @param workAttemptsMax number of leases of one unit of work before the run stops with the unit's name
 * @param stallAfter lack of progress for this long is reported with the name of the blocking component (promise P-4)
 * @param tensorBytesMax bytes of tensors held by one process
 * @param shutdownGrace maximum time from an interrupt (SIGTERM, Ctrl-C) to the end of the process: the current step is
 *     committed and its checkpoint written within it, or the run ends at the last commit
 */
public record LimitSettings(
        int groupsInFlightMax,
        Duration leaseTime,
        Duration heartbeatEvery,
        int workAttemptsMax,
        Duration stallAfter,
        long tensorBytesMax,
        Duration shutdownGrace) {
    public LimitSettings {
        Allowed.whole("limits.groups-in-flight-max", groupsInFlightMax, 1, 1_000_000);
        Allowed.duration("limits.lease-time", leaseTime);
        Allowed.duration("limits.heartbeat-every", heartbeatEvery);
        Allowed.require(
                heartbeatEvery.compareTo(leaseTime) < 0,
                "limits.heartbeat-every",
                heartbeatEvery.toMillis() + "ms",
                "times below limits.lease-time=" + leaseTime.toMillis() + "ms");
        Allowed.whole("limits.work-attempts-max", workAttemptsMax, 1, 1_000_000);
        Allowed.duration("limits.stall-after", stallAfter);
        Allowed.whole("limits.tensor-bytes-max", tensorBytesMax, 1 << 20, Long.MAX_VALUE);
        Allowed.duration("limits.shutdown-grace", shutdownGrace);
    }
}
