package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import java.util.List;

/** The modules of FLUX's transformer that adapters are trained for. */
public final class FluxTargets {
    /** Attention projections of a double block, as in the public code. */
    private static final List<String> DOUBLE = List.of(
            "attn.to_q",
            "attn.to_k",
            "attn.to_v",
            "attn.to_out.0",
            "attn.add_q_proj",
            "attn.add_k_proj",
            "attn.add_v_proj",
            "attn.to_add_out");

    /** Attention projections of a single block, as in the public code, whose names match them too. */
    private static final List<String> SINGLE = List.of("attn.to_q", "attn.to_k", "attn.to_v");

    private FluxTargets() {}

    /**
     * Returns the adapters of all attention projections: {@code MODULE.lora_A.weight} [rank, in] and {@code
     * MODULE.lora_B.weight} [out, rank].
     *
     * @param rank at least 1
     */
    public static FlatLayout attention(FluxConfig config, int rank) {
        FlatLayout.Builder layout = new FlatLayout.Builder();
        for (int i = 0; i < config.doubleBlocks(); i++) {
            for (String target : DOUBLE) {
                add(layout, "transformer_blocks." + i + "." + target, config.dim(), rank);
            }
        }
        for (int i = 0; i < config.singleBlocks(); i++) {
            for (String target : SINGLE) {
                add(layout, "single_transformer_blocks." + i + "." + target, config.dim(), rank);
            }
        }
        return layout.build();
    }

    private static void add(FlatLayout.Builder layout, String module, int dim, int rank) {
        layout.add(module + ".lora_A.weight", rank, dim);
        layout.add(module + ".lora_B.weight", dim, rank);
    }
}
