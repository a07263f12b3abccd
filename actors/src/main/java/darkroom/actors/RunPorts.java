package darkroom.actors;

import java.time.InstantSource;

/**
 * What a run needs from outside.
 *
 * @param clock for timings in reports only; nothing computed depends on it
 */
public record RunPorts(
        PromptSource prompts, StopWhen stopWhen, TensorStore store, RunListener listener, InstantSource clock) {}
