package darkroom.actors.events;

import java.time.Duration;

/**
 * Durations of the parts of a step, for reports. With {@code rollout.staleness} = 1 the rollouts of a step overlap the
 * training of the one before, so the parts of successive steps overlap.
 *
 * @param generating from the first group opened to the last one generated
 * @param scoring from the last group generated to the last one scored
 * @param waiting from there until the training began
 * @param learning all optimizer steps
 * @param sinceLastCommit total time of the step, including a validation between the two commits
 */
public record StepTimings(
        Duration generating, Duration scoring, Duration waiting, Duration learning, Duration sinceLastCommit) {}
