package darkroom.actors;

import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a run needs from outside.
 *
 * @param plane everything that is acknowledged is taken over into its store
 * @param clock for timings in reports only; nothing computed depends on it
 * @param ledger where the run is written down, and read from when it is resumed
 * @param checkpoints asked after the listener was told something: what it has written to the disk and was not asked for yet
 */
public record RunPorts(
        PromptSource prompts,
        StopWhen stopWhen,
        TensorPlane plane,
        RunListener listener,
        InstantSource clock,
        Ledger ledger,
        Supplier<List<LedgerEvent.CheckpointWritten>> checkpoints) {

    /** Of a run that is not written down. */
    public RunPorts(
            PromptSource prompts, StopWhen stopWhen, TensorPlane plane, RunListener listener, InstantSource clock) {
        this(prompts, stopWhen, plane, listener, clock, Ledger.NONE, List::of);
    }

    /** The same ports, with another listener. */
    public RunPorts with(RunListener other) {
        return new RunPorts(prompts, stopWhen, plane, other, clock, ledger, checkpoints);
    }

    /** The same ports, with a ledger. */
    public RunPorts with(Ledger other, Supplier<List<LedgerEvent.CheckpointWritten>> written) {
        return new RunPorts(prompts, stopWhen, plane, listener, clock, other, written);
    }

    /** What can be read where the run is supervised. */
    public TensorStore store() {
        return plane.store();
    }
}
