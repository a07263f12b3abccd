package darkroom.runtime.run;

import darkroom.actors.device.LearnerState;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Tensors with which a run or a measurement begins. */
public final class LearnerTensors {
    private LearnerTensors() {}

    /**
     * Returns the state of a learner before its first optimizer step: trained weights, old policy and average are the
     * initial weights, both moments are zero.
     *
     * @param initial FLOAT32 [parameters]
     */
    public static LearnerState fresh(float[] initial, TensorStore store) {
        float[] zeros = new float[initial.length];
        return new LearnerState(
                0, put(initial, store), put(zeros, store), put(zeros, store), put(initial, store), put(initial, store));
    }

    /**
     * Puts a vector into the store; the caller releases it.
     *
     * @return FLOAT32 [values.length]
     */
    static TensorRef put(float[] values, TensorStore store) {
        return store.put(
                TensorRef.ElementType.FLOAT32,
                List.of(values.length),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(values)));
    }
}
