package darkroom.gpuworkers;

import darkroom.actors.device.Prompt;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Writes a prompt into one row of a model's inputs: source, reference (zeros without one), instruction. */
final class PromptInputs {
    private final TensorStore store;
    private final int side;
    private final float[] planar;

    PromptInputs(TensorStore store, int side) {
        this.store = store;
        this.side = side;
        this.planar = new float[3 * side * side];
    }

    void write(Prompt prompt, int row, TensorBuffer source, TensorBuffer reference, TensorBuffer tokens) {
        planar(prompt.source());
        source.floats((long) row * planar.length, planar);
        if (prompt.reference() == null) {
            Arrays.fill(planar, 0);
        } else {
            planar(prompt.reference());
        }
        reference.floats((long) row * planar.length, planar);
        tokens.longs(row, InstructionVocabulary.embedded().encode(prompt.instruction()));
    }

    private void planar(TensorRef picture) {
        if (picture.bytes() != planar.length) {
            throw new IllegalArgumentException(
                    "picture %s, but the model rollouts [%d, %d, 3]: set policy.resolution to the size of the data"
                            .formatted(picture.shape(), side, side));
        }
        MemorySegment bytes = store.read(picture);
        int pixels = side * side;
        for (int p = 0; p < pixels; p++) {
            for (int c = 0; c < 3; c++) {
                planar[c * pixels + p] = (bytes.get(ValueLayout.JAVA_BYTE, p * 3L + c) & 255) / 127.5f - 1f;
            }
        }
    }
}
