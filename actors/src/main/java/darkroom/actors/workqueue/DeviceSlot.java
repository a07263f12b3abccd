package darkroom.actors.workqueue;

import darkroom.actors.device.Device;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import java.util.function.Supplier;

/**
 * A device that a node offers.
 *
 * @param name unique within the node, for instance {@code rollout-0}
 * @param device creates it, once for each worker of the device slot; called on a dispatcher, so it must return at once and
 *     load what it needs with its first unit
 */
public record DeviceSlot<U extends Unit, R extends Result>(String name, Supplier<? extends Device<U, R>> device) {}
