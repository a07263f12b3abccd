package darkroom.actors;

import java.util.function.Supplier;

/**
 * A device that a node offers.
 *
 * @param name unique within the node, for instance {@code rollout-0}
 * @param device makes it, once for each worker that is given the seat; called on a dispatcher, so it must return at once
 *     and load what it needs with its first unit
 */
public record DeviceSeat<U extends Unit, R extends Result>(String name, Supplier<? extends Device<U, R>> device) {}
