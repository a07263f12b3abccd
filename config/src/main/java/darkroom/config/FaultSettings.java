package darkroom.config;

/**
 * Whether faults may be injected into a node, for tests of a run and of those who watch it.
 *
 * @param enabled whether {@code darkroom fault} and {@code darkroom chaos} are obeyed; never where a run matters
 */
public record FaultSettings(boolean enabled) {}
