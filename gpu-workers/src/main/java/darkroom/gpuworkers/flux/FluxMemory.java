package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.pretrained.MemoryPlan;
import darkroom.gpuworkers.pretrained.MemoryPlan.Item;
import java.util.List;
import java.util.Set;

/**
 * Memory that FLUX needs on a device, from its configuration.
 *
 * <p>What autograd keeps of a block was counted on the TorchScript source, in values per token and width: with adapters of the
 * attention projections 14 to 17 for a double block and 13 to 20 for a single one, with adapters of all linear modules 24 to
 * 27 for both.
 */
public final class FluxMemory {
    private static final Set<String> PROJECTIONS =
            Set.of("to_q", "to_k", "to_v", "0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out");
    private static final int KEPT_DOUBLE = 17;
    private static final int KEPT_SINGLE = 21;
    private static final int KEPT_ALL = 27;

    /** Values per token and width while a block runs: normalised tokens, q, k and v with their rotations, the MLP. */
    private static final int WORKING = 20;

    /** Pixels of one latent value along a side, and latent values of one token along a side. */
    private static final int PIXELS = 8;

    private static final int PACKED = 2;

    /** Latents of a sample in flight: x0, noise, noisy, velocities of theta, old and reference, cotangent, state. */
    private static final int LATENTS = 8;

    private final FluxConfig config;
    private final FluxWorkload load;
    private final long transformerBytes;
    private final long valueBytes;

    /**
     * @param transformerBytes bytes of the transformer's weights
     * @param valueBytes bytes of one value while the transformer computes: those of its weights
     */
    public FluxMemory(FluxConfig config, FluxWorkload load, long transformerBytes, int valueBytes) {
        this.config = config;
        this.load = load;
        this.transformerBytes = transformerBytes;
        this.valueBytes = valueBytes;
    }

    /** Returns the number of values of the adapters. */
    public long adapterParameters() {
        return FluxModules.adaptable(config).modules().entrySet().stream()
                .filter(module -> !load.attentionOnly()
                        || (module.getKey().contains(".attn.")
                                && PROJECTIONS.contains(module.getKey()
                                        .substring(module.getKey().lastIndexOf('.') + 1))))
                .mapToLong(module -> (long) load.rank()
                        * ((long) module.getValue().in() + module.getValue().out()))
                .sum();
    }

    /** Returns the tokens of one sample: text, noisy and reference tokens. */
    public long tokens() {
        long side = load.resolution() / PIXELS / PACKED;
        return load.textTokens() + (1 + load.references()) * side * side;
    }

    /** Values of one sequence of tokens in the transformer's width, for the whole batch, in bytes. */
    private long sequence() {
        return load.batch() * tokens() * config.dim() * valueBytes;
    }

    /**
     * Returns the plan of a device that generates.
     *
     * @param vaeBytes bytes of the autoencoder's weights
     */
    public MemoryPlan rollout(long vaeBytes, int vaeWidth) {
        return new MemoryPlan(
                "rollout",
                List.of(
                        weights(),
                        new Item("autoencoder", vaeBytes, "its tensors"),
                        new Item(
                                "adapter",
                                Float.BYTES * adapterParameters(),
                                "old policy, 4 bytes of %,d values".formatted(adapterParameters())),
                        running(),
                        latents(),
                        decoding(vaeWidth)));
    }

    /** Returns the plan of a device that trains. */
    public MemoryPlan trainer() {
        long parameters = adapterParameters();
        long segments = Math.ceilDiv(config.doubleBlocks(), load.segment())
                + Math.ceilDiv(config.singleBlocks(), load.segment())
                + 2L;
        long keptDouble = load.attentionOnly() ? KEPT_DOUBLE : KEPT_ALL;
        long keptSingle = load.attentionOnly() ? KEPT_SINGLE : KEPT_ALL;
        long doubles = Math.min(load.segment(), config.doubleBlocks());
        long singles = Math.min(load.segment(), config.singleBlocks());
        long again = Math.max(keptDouble * doubles, keptSingle * singles);
        return new MemoryPlan(
                "trainer",
                List.of(
                        weights(),
                        new Item(
                                "adapters",
                                3 * Float.BYTES * parameters,
                                "trained, old and averaged, 4 bytes of %,d values each".formatted(parameters)),
                        new Item("gradient", Float.BYTES * parameters, "4 bytes of %,d values".formatted(parameters)),
                        new Item(
                                "optimizer",
                                2 * Float.BYTES * parameters,
                                "two moments, 4 bytes of %,d values each".formatted(parameters)),
                        new Item(
                                "kept inputs",
                                segments * sequence(),
                                "%d segments of %d blocks, the ends; each batch %d x %d tokens x %d"
                                        .formatted(segments, load.segment(), load.batch(), tokens(), config.dim())),
                        new Item(
                                "recomputed segment",
                                again * sequence(),
                                "%d values per token and width, upper estimate".formatted(again)),
                        running(),
                        latents()));
    }

    /**
     * Returns the plan of a node that encodes prompts and source pictures.
     *
     * @param encoderBytes bytes of the weights of both text encoders and the autoencoder
     * @param promptBytes bytes of one value of T5
     * @param width of T5's feed-forward layer
     * @param heads of T5
     * @param vaeWidth channels of the autoencoder at full resolution
     */
    public MemoryPlan encoder(long encoderBytes, int promptBytes, int width, int heads, int vaeWidth) {
        long text = load.textTokens();
        return new MemoryPlan(
                "encoder",
                List.of(
                        new Item("text encoders and autoencoder", encoderBytes, "their tensors"),
                        new Item(
                                "text activations",
                                text * (6L * config.promptDim() + 3L * width) * promptBytes
                                        + 2L * heads * text * text * Float.BYTES,
                                "one layer of T5 with %d tokens, scores of %d heads, upper estimate"
                                        .formatted(text, heads)),
                        decoding(vaeWidth)));
    }

    private Item weights() {
        return new Item("transformer", transformerBytes, "its tensors, one copy for all adapters");
    }

    private Item running() {
        return new Item(
                "running block",
                WORKING * sequence(),
                "%d values per token and width, %d tokens, upper estimate".formatted(WORKING, tokens()));
    }

    private Item latents() {
        long side = load.resolution() / PIXELS;
        long values = load.batch()
                * ((long) (LATENTS + load.references()) * config.latentChannels() * side * side
                        + load.textTokens() * (long) config.promptDim()
                        + config.pooledDim());
        return new Item(
                "latents and conditions",
                Float.BYTES * (values + 2 * tokens() * config.headDim()),
                "%d latents and %d references of %d x %d x %d, embeddings, positions"
                        .formatted(LATENTS, load.references(), config.latentChannels(), side, side));
    }

    private Item decoding(int vaeWidth) {
        long side = load.resolution();
        return new Item(
                "autoencoder activations",
                4L * Float.BYTES * vaeWidth * side * side,
                "4 maps of %d channels x %d x %d in float32, picture by picture, upper estimate"
                        .formatted(vaeWidth, side, side));
    }
}
