package darkroom.actors.run;

import darkroom.actors.device.PromptSource;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorStore;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;

/**
 * External dependencies of a run.
 *
 * @param plane everything that is acknowledged is taken over into its store
 * @param clock for timings in reports only; nothing computed depends on it
 * @param ledger records the run, and is read when it is resumed
 * @param checkpoints called after each event of the listener: returns the checkpoints written to disk since the last call
 */
public record RunPorts(
        PromptSource prompts,
        StopWhen stopWhen,
        TensorPlane plane,
        RunListener listener,
        InstantSource clock,
        Ledger ledger,
        Supplier<List<LedgerEvent.CheckpointWritten>> checkpoints) {

    /** Creates ports of a run that is not recorded. */
    public RunPorts(
            PromptSource prompts, StopWhen stopWhen, TensorPlane plane, RunListener listener, InstantSource clock) {
        this(prompts, stopWhen, plane, listener, clock, Ledger.NONE, List::of);
    }

    /** Returns the same ports, with another listener. */
    public RunPorts with(RunListener other) {
        return new RunPorts(prompts, stopWhen, plane, other, clock, ledger, checkpoints);
    }

    /** Returns the same ports, with a ledger. */
    public RunPorts with(Ledger other, Supplier<List<LedgerEvent.CheckpointWritten>> written) {
        return new RunPorts(prompts, stopWhen, plane, listener, clock, other, written);
    }

    /** Returns the tensors that are readable on the node that supervises the run. */
    public TensorStore store() {
        return plane.store();
    }
}
