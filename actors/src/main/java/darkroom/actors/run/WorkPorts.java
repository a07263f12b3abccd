package darkroom.actors.run;

import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
import java.time.InstantSource;
import java.util.function.Consumer;

/**
 * External dependencies of the actors that have units processed: group coordinators, step trainers and evaluations.
 *
 * @param queues receive the units
 * @param plane takes the tensors of results over
 * @param clock for timings in reports only
 * @param limits bounds on attempts and on groups in flight
 */
public record WorkPorts(WorkQueues queues, TensorPlane plane, InstantSource clock, LimitSettings limits) {
    /** Returns what releases a tensor of this node. */
    Consumer<TensorRef> release() {
        return plane.store()::release;
    }
}
