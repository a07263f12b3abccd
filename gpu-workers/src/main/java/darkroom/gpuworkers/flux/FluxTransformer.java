package darkroom.gpuworkers.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.gpuworkers.flux.RotaryEmbedding.Grid;
import darkroom.gpuworkers.lora.LoraAdapter;
import darkroom.gpuworkers.pretrained.MappedWeights;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.gpuworkers.torchscript.TorchScriptSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The transformer of FLUX.1-Kontext on one device: velocities, and gradients of adapters by recomputation.
 *
 * <p>One copy of the base serves any number of adapters, which are applied unmerged. A backward pass keeps the inputs of every
 * segment of {@code segment} blocks and computes the segment again for its vector-Jacobian product, so that memory grows with
 * the number of segments and the blocks of one, not with all blocks; the result is the same for every segment length.
 * Thread-confined.
 */
public final class FluxTransformer implements AutoCloseable {
    private final FluxConfig config;
    private final MappedWeights weights;
    private final TorchModule module;
    private final int segment;

    /**
     * @param weights parameters by their names in diffusers; closed with this object
     * @param segment blocks that a backward pass computes again together, at least 1
     */
    public FluxTransformer(FluxConfig config, MappedWeights weights, int segment) {
        this.config = config;
        this.weights = weights;
        this.segment = segment;
        this.module = new TorchModule(TorchScriptSource.of("flux_transformer").text());
    }

    /** Returns a scope that frees its arrays when closed. */
    public NDManager scope() {
        return module.scope();
    }

    /** Returns the sizes of the model. */
    public FluxConfig config() {
        return config;
    }

    /**
     * The conditions of a velocity: its inputs besides the noisy latent, the noise level and the adapter. They belong to the
     * scope that made them.
     *
     * @param reference packed tokens of all references, FLOAT32 [batch, tokens, channels]
     * @param promptEmbeds FLOAT32 [batch, text tokens, prompt dim]
     * @param pooled FLOAT32 [batch, pooled dim]
     * @param guidance FLOAT32 [batch]
     * @param cos FLOAT32 [all tokens, head dim]
     * @param sin FLOAT32 [all tokens, head dim]
     */
    public record Conditions(
            NDArray reference, NDArray promptEmbeds, NDArray pooled, NDArray guidance, NDArray cos, NDArray sin) {}

    /**
     * Prepares the conditions of a batch.
     *
     * @param noisy shape of the noisy latents, [batch, latent channels, height, width]
     * @param references latents of the reference pictures, FLOAT32 [batch, latent channels, height, width], each of its own size
     * @param promptEmbeds FLOAT32 [batch, text tokens, prompt dim]
     * @param pooled FLOAT32 [batch, pooled dim]
     * @param guidance scale of the embedded guidance; unused by a model without
     */
    public Conditions conditions(
            NDManager scope,
            Shape noisy,
            List<NDArray> references,
            NDArray promptEmbeds,
            NDArray pooled,
            double guidance) {
        int batch = (int) noisy.get(0);
        List<Grid> grids = new ArrayList<>();
        grids.add(grid(noisy));
        NDList parts = new NDList();
        for (NDArray reference : references) {
            grids.add(grid(reference.getShape()));
            NDArray packed = module.call(scope, "pack", reference).get(0);
            packed.setName("parts[]");
            parts.add(packed);
        }
        NDArray reference = parts.isEmpty()
                ? scope.zeros(new Shape(batch, 0, config.channels()))
                : module.call(scope, "concatenated", parts).get(0);
        RotaryEmbedding rotary =
                RotaryEmbedding.of((int) promptEmbeds.getShape().get(1), grids, config.axes());
        Shape table = new Shape(rotary.tokens(), config.headDim());
        float[] scales = new float[batch];
        Arrays.fill(scales, (float) guidance);
        return new Conditions(
                reference,
                promptEmbeds,
                pooled,
                scope.create(scales),
                scope.create(rotary.cos(), table),
                scope.create(rotary.sin(), table));
    }

    private static Grid grid(Shape latent) {
        return new Grid((int) latent.get(2) / 2, (int) latent.get(3) / 2);
    }

    /**
     * Computes a velocity, v = noise - x0.
     *
     * @param noisy FLOAT32 [batch, latent channels, height, width]
     * @param sigma noise levels in [0, 1], FLOAT32 [batch]
     * @return FLOAT32, shaped as {@code noisy}
     */
    public NDArray velocity(NDManager scope, NDArray noisy, NDArray sigma, Conditions conditions, LoraAdapter adapter) {
        try (NDManager inner = module.scope()) {
            NDArray velocity = forward(inner, noisy, sigma, conditions, adapter, new ArrayList<>());
            velocity.attach(scope);
            return velocity;
        }
    }

    /**
     * Computes the gradient of a loss with respect to an adapter.
     *
     * @param cotangent gradient of the loss with respect to the velocity, FLOAT32, shaped as {@code noisy}
     * @param gradient receives the gradient, FLOAT32 [parameters of the adapter], which it replaces
     */
    public void backward(
            NDArray noisy,
            NDArray sigma,
            Conditions conditions,
            LoraAdapter adapter,
            NDArray cotangent,
            TensorBuffer gradient) {
        gradient.bytes().fill((byte) 0);
        try (NDManager inner = module.scope()) {
            List<Segment> segments = new ArrayList<>();
            forward(inner, noisy, sigma, conditions, adapter, segments);
            NDArray upstream = null;
            NDArray upstreamText = null;
            for (Segment part : segments.reversed()) {
                NDList products;
                switch (part) {
                    case Segment.Output output -> {
                        NDList inputs = new NDList(output.x(), output.temb(), noisy, conditions.promptEmbeds());
                        inputs.addAll(weights.dictionary(FluxTransformer::isOutput));
                        inputs.add(cotangent);
                        products = module.differentiate(inner, "output_vjp", inputs);
                    }
                    case Segment.SingleBlocks single -> {
                        NDList inputs = single.inputs(conditions, span(inner, single.from(), single.to()));
                        inputs.addAll(weights.dictionary(within("single_transformer_blocks.", single)));
                        inputs.addAll(adapter.dictionary(within("single_transformer_blocks.", single)));
                        inputs.add(Objects.requireNonNull(upstream));
                        products = module.differentiate(inner, "single_blocks_vjp", inputs);
                        adapter.scatter(within("single_transformer_blocks.", single), products.subNDList(1), gradient);
                    }
                    case Segment.DoubleBlocks pair -> {
                        if (upstreamText == null) {
                            NDArray whole = Objects.requireNonNull(upstream);
                            long text = conditions.promptEmbeds().getShape().get(1);
                            upstreamText = whole.get(":, 0:" + text);
                            upstream = whole.get(":, " + text + ":");
                        }
                        NDList inputs = pair.inputs(conditions, span(inner, pair.from(), pair.to()));
                        inputs.addAll(weights.dictionary(within("transformer_blocks.", pair)));
                        inputs.addAll(adapter.dictionary(within("transformer_blocks.", pair)));
                        inputs.add(Objects.requireNonNull(upstream));
                        inputs.add(upstreamText);
                        products = module.differentiate(inner, "double_blocks_vjp", inputs);
                        adapter.scatter(within("transformer_blocks.", pair), products.subNDList(2), gradient);
                        upstreamText = products.get(1);
                    }
                }
                upstream = products.get(0);
            }
        }
    }

    /** Appends every segment with its inputs to {@code segments}, and returns the velocity. */
    private NDArray forward(
            NDManager scope,
            NDArray noisy,
            NDArray sigma,
            Conditions conditions,
            LoraAdapter adapter,
            List<Segment> segments) {
        NDList inputs = new NDList(
                noisy,
                conditions.reference(),
                conditions.promptEmbeds(),
                conditions.pooled(),
                sigma,
                conditions.guidance());
        inputs.addAll(weights.dictionary(FluxTransformer::isEmbedding));
        NDList embedded = module.call(scope, "embedded", inputs);
        NDArray h = embedded.get(0);
        NDArray e = embedded.get(1);
        NDArray temb = embedded.get(2);
        for (int from = 0; from < config.doubleBlocks(); from += segment) {
            Segment.DoubleBlocks pair =
                    new Segment.DoubleBlocks(from, Math.min(from + segment, config.doubleBlocks()), h, e, temb);
            segments.add(pair);
            inputs = pair.inputs(conditions, span(scope, pair.from(), pair.to()));
            inputs.addAll(weights.dictionary(within("transformer_blocks.", pair)));
            inputs.addAll(adapter.dictionary(within("transformer_blocks.", pair)));
            NDList results = module.call(scope, "double_blocks", inputs);
            h = results.get(0);
            e = results.get(1);
        }
        e.setName("parts[]");
        h.setName("parts[]");
        NDArray x = module.call(scope, "concatenated", new NDList(e, h)).get(0);
        for (int from = 0; from < config.singleBlocks(); from += segment) {
            Segment.SingleBlocks single =
                    new Segment.SingleBlocks(from, Math.min(from + segment, config.singleBlocks()), x, temb);
            segments.add(single);
            inputs = single.inputs(conditions, span(scope, single.from(), single.to()));
            inputs.addAll(weights.dictionary(within("single_transformer_blocks.", single)));
            inputs.addAll(adapter.dictionary(within("single_transformer_blocks.", single)));
            x = module.call(scope, "single_blocks", inputs).get(0);
        }
        segments.add(new Segment.Output(x, temb));
        inputs = new NDList(x, temb, noisy, conditions.promptEmbeds());
        inputs.addAll(weights.dictionary(FluxTransformer::isOutput));
        return module.call(scope, "output", inputs).get(0);
    }

    private static NDArray span(NDManager scope, int from, int to) {
        return scope.create(new long[] {from, to});
    }

    private static final Set<String> EMBEDDERS = Set.of("x_embedder", "context_embedder", "time_text_embed");

    private static boolean isEmbedding(String name) {
        return EMBEDDERS.contains(name.substring(0, Math.max(0, name.indexOf('.'))));
    }

    private static boolean isOutput(String name) {
        return name.startsWith("norm_out.") || name.startsWith("proj_out.");
    }

    private static Predicate<String> within(String kind, Segment.Blocks blocks) {
        return name -> {
            if (!name.startsWith(kind)) {
                return false;
            }
            int block = Integer.parseInt(name, kind.length(), name.indexOf('.', kind.length()), 10);
            return block >= blocks.from() && block < blocks.to();
        };
    }

    /** A part of the network that a backward pass computes again, with its inputs. */
    private sealed interface Segment {
        /** Blocks of one kind: the half-open range from {@code from} to {@code to}. */
        sealed interface Blocks extends Segment {
            int from();

            int to();
        }

        /** Double blocks: image tokens {@code h} and text tokens {@code e}. */
        record DoubleBlocks(int from, int to, NDArray h, NDArray e, NDArray temb) implements Blocks {
            NDList inputs(Conditions conditions, NDArray span) {
                return new NDList(h, e, temb, conditions.cos(), conditions.sin(), span);
            }
        }

        /** Single blocks of text and image tokens {@code x}. */
        record SingleBlocks(int from, int to, NDArray x, NDArray temb) implements Blocks {
            NDList inputs(Conditions conditions, NDArray span) {
                return new NDList(x, temb, conditions.cos(), conditions.sin(), span);
            }
        }

        /** The last norm and projection. */
        record Output(NDArray x, NDArray temb) implements Segment {}
    }

    @Override
    public void close() {
        module.close();
        weights.close();
    }
}
