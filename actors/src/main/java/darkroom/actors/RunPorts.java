package darkroom.actors;

import java.time.InstantSource;

/**
 * What a run needs from outside.
 *
 * @param plane everything that is acknowledged is taken over into its store
 * @param clock for timings in reports only; nothing computed depends on it
 */
public record RunPorts(
        PromptSource prompts, StopWhen stopWhen, TensorPlane plane, RunListener listener, InstantSource clock) {

    /** What can be read where the run is supervised. */
    public TensorStore store() {
        return plane.store();
    }
}
