package darkroom.config;

/**
 * Settings of fault injection into a node, for tests of a run and of its monitoring.
 *
 * @param enabled whether {@code darkroom fault} and {@code darkroom chaos} take effect; never in a run that matters
 */
public record FaultSettings(boolean enabled) {}
