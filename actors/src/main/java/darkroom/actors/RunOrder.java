package darkroom.actors;

import java.util.Optional;

/**
 * What a run is to do.
 *
 * @param run name of the run, in every unit and every event
 * @param from where it begins; its tensors belong to the run until {@link RunEvent.Ended}, whose state's tensors belong
 *     to the one who started it
 * @param steps the run is complete once this many steps are committed, those before {@code from} included
 */
public record RunOrder(String run, RunState from, int steps, Optional<ValidationPlan> validation) {}
