package darkroom.gpuworkers.lora;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Adapters as files hold them, by the names of the model's modules.
 *
 * @param layout factors {@code MODULE.lora_A.weight} [rank, in] and {@code MODULE.lora_B.weight} [out, rank], by name; the rank
 *     may differ from module to module
 * @param flat their values in one vector
 * @param scale alpha / rank, by which B A is multiplied
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of weights, never compared
public record LoraFile(FlatLayout layout, float[] flat, double scale) {
    static final String A = ".lora_A.weight";
    static final String B = ".lora_B.weight";

    /**
     * Reads adapters in any of the usual spellings: those of {@link LoraSpelling} and of PEFT, with {@code transformer.},
     * {@code base_model.model.}, {@code diffusion_model.}, {@code lora_unet_} or no prefix, with and without the name of an
     * adapter. The scale is taken from {@code .alpha}, from {@code adapter_config.json}, or from the header's
     * {@code lora_adapter_metadata}, in this order, and is 1 without any; scales that differ are multiplied into B.
     *
     * @param path a safetensors file, or a folder that PEFT or diffusers wrote
     * @param targets modules of the model that is adapted
     * @throws IOException naming the file and everything that does not fit the model; nothing is applied in part
     */
    public static LoraFile read(Path path, LoraTargets targets) throws IOException {
        return new LoraImport(targets).read(path);
    }

    /**
     * Writes a file that appears when it is complete, in FLOAT32.
     *
     * @param targets modules of the model, among which are those of these adapters
     */
    public void write(Path file, LoraSpelling spelling, LoraTargets targets) throws IOException {
        new LoraExport(this, targets).write(file, spelling);
    }

    /** Returns a module's factor A, FLOAT32 [rank, in]. */
    public float[] a(String module) {
        return values(module + A);
    }

    /** Returns a module's factor B, FLOAT32 [out, rank]. */
    public float[] b(String module) {
        return values(module + B);
    }

    /** Returns whether a module is adapted. */
    public boolean adapts(String module) {
        return layout.entries().containsKey(module + A);
    }

    /** Returns the rank of an adapted module. */
    public int rank(String module) {
        return layout.entry(module + A).shape().getFirst();
    }

    private float[] values(String name) {
        FlatLayout.Entry entry = layout.entry(name);
        float[] values = new float[entry.size()];
        System.arraycopy(flat, entry.offset(), values, 0, values.length);
        return values;
    }
}
