package darkroom.config;

import java.time.Duration;

/**
 * Number and kind of the devices of this process for rollout and training.
 *
 * @param rolloutDevices CPU devices for rollout, each one thread
 * @param trainerDevices CPU devices for training, each one thread
 * @param gradientUnitsPerLease gradient units that a trainer takes at a time and adds up before it answers, a power of two; a
 *     block is one message, and is repeated as a whole
 * @param device kind of the devices; virtual ones give another result
 */
public record WorkerSettings(
        int rolloutDevices, int trainerDevices, int gradientUnitsPerLease, Kind device, VirtualSettings virtual) {
    public WorkerSettings {
        Allowed.whole("workers.rollout-devices", rolloutDevices, 1, 1024);
        Allowed.whole("workers.trainer-devices", trainerDevices, 1, 1024);
        Allowed.powerOfTwo("workers.gradient-units-per-lease", gradientUnitsPerLease, 64);
    }

    /** Kind of a device. */
    public enum Kind {
        /** Computes with PyTorch. */
        TORCH,
        /** Waits for a fixed time and hashes its input: for measuring the runtime itself. */
        VIRTUAL
    }

    /**
     * Durations of the work of virtual devices.
     *
     * @param rollout per group
     * @param score per image; scorers take any number at a time
     * @param unit per gradient unit; an update takes no time
     */
    public record VirtualSettings(Duration rollout, Duration score, Duration unit) {
        public VirtualSettings {
            Allowed.duration("workers.virtual.rollout", rollout);
            Allowed.duration("workers.virtual.score", score);
            Allowed.duration("workers.virtual.unit", unit);
        }
    }
}
