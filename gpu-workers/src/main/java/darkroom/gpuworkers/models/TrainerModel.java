package darkroom.gpuworkers.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.TrainUnit;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A velocity model on one device, for training. Thread-confined. */
public interface TrainerModel extends AutoCloseable {
    /** Returns a scope that frees its arrays when closed. */
    NDManager scope();

    /** Uses these trained parameters: FLOAT32 [parameters], copied. */
    void serveTrained(MemorySegment parameters);

    /** Uses these parameters of the old policy: FLOAT32 [parameters], copied. */
    void serveOld(MemorySegment parameters);

    /**
     * Computes the gradient of one gradient unit.
     *
     * @param block that the unit belongs to
     * @param unit at most {@code training.unit-samples} samples
     */
    UnitGradient gradient(NDManager scope, TrainUnit.GradientBlock block, List<TrainUnit.Sample> unit);

    /**
     * Gradient of a unit.
     *
     * @param gradient FLOAT32 [parameters], divided by the samples of the pass
     * @param policyLoss share of the pass's mean policy loss
     * @param klLoss share of the pass's mean distance to the reference
     */
    record UnitGradient(NDArray gradient, double policyLoss, double klLoss) {}

    @Override
    void close();
}
