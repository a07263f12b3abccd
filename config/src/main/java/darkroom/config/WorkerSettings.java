package darkroom.config;

/**
 * How many devices of this process draw and train.
 *
 * @param rolloutDevices CPU devices that draw, each one thread
 * @param trainerDevices CPU devices that train, each one thread
 */
public record WorkerSettings(int rolloutDevices, int trainerDevices) {}
