package darkroom.actors;

import java.time.Duration;

/**
 * How long a step took, for reports. With {@code rollout.staleness} = 1 the drawing of a step lies within the learning of
 * the one before, so the parts of successive steps overlap.
 *
 * @param drawing from the first group opened to the last one drawn
 * @param scoring from the last group drawn to the last one scored
 * @param waiting from there until the learning began
 * @param learning all optimizer steps
 * @param sinceLastCommit what the step cost the run, a validation between the two commits included
 */
public record StepTimings(
        Duration drawing, Duration scoring, Duration waiting, Duration learning, Duration sinceLastCommit) {}
