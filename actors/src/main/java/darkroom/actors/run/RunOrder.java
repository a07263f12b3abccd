package darkroom.actors.run;

import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.RunState;
import java.util.Optional;

/**
 * The definition of a run to start.
 *
 * @param run name of the run, in every unit and every event
 * @param from initial state; its tensors belong to the run until {@link RunEvent.Ended}, whose state's tensors belong to
 *     the caller that started it
 * @param steps the run is complete once this many steps are committed, those before {@code from} included
 */
public record RunOrder(String run, RunState from, int steps, Optional<ValidationPlan> validation) {}
