package darkroom.config;

import java.time.Duration;

/**
 * How many devices of this process draw and train, and of what kind.
 *
 * @param rolloutDevices CPU devices that draw, each one thread
 * @param trainerDevices CPU devices that train, each one thread
 * @param gradientUnitsPerLease gradient units that a trainer takes at a time and adds up before it answers, a power
 *     of two; a block is one message, and is done again as a whole
 * @param device what devices do; virtual ones decide another result
 */
public record WorkerSettings(
        int rolloutDevices, int trainerDevices, int gradientUnitsPerLease, Kind device, VirtualSettings virtual) {
    public WorkerSettings {
        Allowed.whole("workers.rollout-devices", rolloutDevices, 1, 1024);
        Allowed.whole("workers.trainer-devices", trainerDevices, 1, 1024);
        Allowed.powerOfTwo("workers.gradient-units-per-lease", gradientUnitsPerLease, 64);
    }

    /** What a device does. */
    public enum Kind {
        /** Computes with PyTorch. */
        TORCH,
        /** Waits for a fixed time and hashes what it was given: for measuring the runtime itself. */
        VIRTUAL
    }

    /**
     * How long virtual devices take.
     *
     * @param draw for a group
     * @param score for an image; scorers take any number at a time
     * @param unit for a gradient unit; an update takes no time
     */
    public record VirtualSettings(Duration draw, Duration score, Duration unit) {
        public VirtualSettings {
            Allowed.duration("workers.virtual.draw", draw);
            Allowed.duration("workers.virtual.score", score);
            Allowed.duration("workers.virtual.unit", unit);
        }
    }
}
