package darkroom.config;

/**
 * How many devices of this process draw and train.
 *
 * @param rolloutDevices CPU devices that draw, each one thread
 * @param trainerDevices CPU devices that train, each one thread
 */
public record WorkerSettings(int rolloutDevices, int trainerDevices) {
    public WorkerSettings {
        Allowed.whole("workers.rollout-devices", rolloutDevices, 1, 1024);
        Allowed.whole("workers.trainer-devices", trainerDevices, 1, 1024);
    }
}
