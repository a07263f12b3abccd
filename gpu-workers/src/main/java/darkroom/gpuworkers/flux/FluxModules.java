package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.lora.LoraTargets;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Tensors and linear modules of a FLUX transformer, by the names of FluxTransformer2DModel of diffusers, and the names that
 * Black Forest Labs gives the modules.
 */
public final class FluxModules {
    private static final int TIME_FEATURES = 256;
    private static final int MLP_RATIO = 4;

    private final SortedMap<String, List<Integer>> tensors = new TreeMap<>();
    private final SortedMap<String, LoraTargets.Size> linear = new TreeMap<>();
    private final SortedMap<String, LoraTargets.Fused> foreign = new TreeMap<>();
    private final int dim;
    private final int headDim;

    private FluxModules(FluxConfig config) {
        dim = config.dim();
        headDim = config.headDim();
        linear("x_embedder", config.channels(), dim, "img_in");
        linear("context_embedder", config.promptDim(), dim, "txt_in");
        embedder("timestep_embedder", TIME_FEATURES, "time_in");
        if (config.guidance()) {
            embedder("guidance_embedder", TIME_FEATURES, "guidance_in");
        }
        embedder("text_embedder", config.pooledDim(), "vector_in");
        for (int i = 0; i < config.doubleBlocks(); i++) {
            String block = "transformer_blocks." + i + ".";
            String theirs = "double_blocks." + i + ".";
            stream(block, "", theirs + "img_", List.of("to_q", "to_k", "to_v"), "to_out.0");
            stream(block, "_context", theirs + "txt_", List.of("add_q_proj", "add_k_proj", "add_v_proj"), "to_add_out");
            heads(block, "norm_q", "norm_k", "norm_added_q", "norm_added_k");
        }
        for (int i = 0; i < config.singleBlocks(); i++) {
            String block = "single_transformer_blocks." + i + ".";
            String theirs = "single_blocks." + i + ".";
            linear(block + "norm.linear", dim, 3 * dim, theirs + "modulation.lin");
            linear(block + "attn.to_q", dim, dim, "");
            linear(block + "attn.to_k", dim, dim, "");
            linear(block + "attn.to_v", dim, dim, "");
            linear(block + "proj_mlp", dim, MLP_RATIO * dim, "");
            fuse(theirs + "linear1", block + "attn.to_q", block + "attn.to_k", block + "attn.to_v", block + "proj_mlp");
            linear(block + "proj_out", (1 + MLP_RATIO) * dim, dim, theirs + "linear2");
            heads(block, "norm_q", "norm_k");
        }
        linear("norm_out.linear", dim, 2 * dim, "");
        foreign.put("final_layer.adaLN_modulation.1", new LoraTargets.Fused(List.of("norm_out.linear"), true));
        linear("proj_out", dim, config.channels(), "final_layer.linear");
    }

    private void stream(String block, String suffix, String theirs, List<String> projections, String output) {
        linear(block + "norm1" + suffix + ".linear", dim, 6 * dim, theirs + "mod.lin");
        projections.forEach(projection -> linear(block + "attn." + projection, dim, dim, ""));
        fuse(
                theirs + "attn.qkv",
                projections.stream()
                        .map(projection -> block + "attn." + projection)
                        .toArray(String[]::new));
        linear(block + "attn." + output, dim, dim, theirs + "attn.proj");
        linear(block + "ff" + suffix + ".net.0.proj", dim, MLP_RATIO * dim, theirs + "mlp.0");
        linear(block + "ff" + suffix + ".net.2", MLP_RATIO * dim, dim, theirs + "mlp.2");
    }

    private void embedder(String name, int in, String theirs) {
        linear("time_text_embed." + name + ".linear_1", in, dim, theirs + ".in_layer");
        linear("time_text_embed." + name + ".linear_2", dim, dim, theirs + ".out_layer");
    }

    private void linear(String name, int in, int out, String theirs) {
        tensors.put(name + ".weight", List.of(out, in));
        tensors.put(name + ".bias", List.of(out));
        linear.put(name, new LoraTargets.Size(in, out));
        if (!theirs.isEmpty()) {
            fuse(theirs, name);
        }
    }

    private void heads(String block, String... norms) {
        for (String norm : norms) {
            tensors.put(block + "attn." + norm + ".weight", List.of(headDim));
        }
    }

    private void fuse(String theirs, String... modules) {
        foreign.put(theirs, new LoraTargets.Fused(List.of(modules), false));
    }

    /** Returns the shapes of all tensors of a transformer, by name. */
    public static SortedMap<String, List<Integer>> tensors(FluxConfig config) {
        return new FluxModules(config).tensors;
    }

    /** Returns all linear modules. */
    public static LoraTargets linear(FluxConfig config) {
        return new FluxModules(config).targets(_ -> true);
    }

    /** Returns the linear modules of the blocks, to which {@link FluxTransformer} applies adapters. */
    public static LoraTargets adaptable(FluxConfig config) {
        return new FluxModules(config)
                .targets(name ->
                        name.startsWith("transformer_blocks.") || name.startsWith("single_transformer_blocks."));
    }

    private LoraTargets targets(Predicate<String> wanted) {
        SortedMap<String, LoraTargets.Size> modules = new TreeMap<>(linear);
        modules.keySet().removeIf(wanted.negate());
        SortedMap<String, LoraTargets.Fused> names = new TreeMap<>(foreign);
        names.values().removeIf(fused -> !modules.keySet().containsAll(fused.modules()));
        return new LoraTargets(modules, names);
    }
}
