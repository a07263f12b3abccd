package darkroom.gpuworkers.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.config.Precision;
import darkroom.gpuworkers.pretrained.ConfigFile;
import darkroom.gpuworkers.pretrained.ExpectedTensors;
import darkroom.gpuworkers.pretrained.MappedWeights;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.gpuworkers.torchscript.TorchScriptSource;
import java.io.IOException;
import java.util.Set;

/** The encoder of T5, version 1.1: token ids to embeddings, as T5EncoderModel of transformers. Thread-confined. */
public final class T5TextEncoder implements AutoCloseable {
    /** Most tokens of a text; the pipelines of diffusers refuse more. */
    public static final int TOKENS_MAX = 512;

    private final Config config;
    private final MappedWeights weights;
    private final TorchModule module;

    /**
     * Sizes of the encoder: {@code config.json} of its folder.
     *
     * @param vocabulary {@code vocab_size}
     * @param width {@code d_model}
     * @param head {@code d_kv}
     * @param heads {@code num_heads}
     * @param mlp {@code d_ff}
     * @param layers {@code num_layers}
     * @param buckets {@code relative_attention_num_buckets}
     * @param distanceMax {@code relative_attention_max_distance}
     * @param epsilon {@code layer_norm_epsilon}
     */
    public record Config(
            int vocabulary,
            int width,
            int head,
            int heads,
            int mlp,
            int layers,
            int buckets,
            int distanceMax,
            double epsilon) {

        static Config read(ModelFolder folder, String component) throws IOException {
            ConfigFile file = ConfigFile.read(folder.file(component, "config.json"));
            file.expect("model_type", "t5");
            String feedForward = file.text("feed_forward_proj").orElse("relu");
            if (!feedForward.equals("gated-gelu")) {
                throw file.wrong("feed_forward_proj", feedForward, "gated-gelu, that is T5 version 1.1");
            }
            Config config = new Config(
                    file.positive("vocab_size"),
                    file.positive("d_model"),
                    file.positive("d_kv"),
                    file.positive("num_heads"),
                    file.positive("d_ff"),
                    file.positive("num_layers"),
                    (int) file.number("relative_attention_num_buckets", 32),
                    (int) file.number("relative_attention_max_distance", 128),
                    file.number("layer_norm_epsilon", 1e-6));
            if (config.buckets < 4 || config.distanceMax <= config.buckets / 4) {
                throw file.wrong(
                        "relative_attention_max_distance",
                        String.valueOf(config.distanceMax),
                        "more than a quarter of relative_attention_num_buckets=%d, which is at least 4"
                                .formatted(config.buckets));
            }
            return config;
        }

        ExpectedTensors tensors(String embedding) {
            ExpectedTensors tensors = new ExpectedTensors()
                    .tensor(embedding, vocabulary, width)
                    .tensor("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", buckets, heads)
                    .tensor("encoder.final_layer_norm.weight", width);
            for (int i = 0; i < layers; i++) {
                String attention = "encoder.block." + i + ".layer.0";
                String feedForward = "encoder.block." + i + ".layer.1";
                tensors.tensor(attention + ".layer_norm.weight", width)
                        .tensor(attention + ".SelfAttention.q.weight", (long) heads * head, width)
                        .tensor(attention + ".SelfAttention.k.weight", (long) heads * head, width)
                        .tensor(attention + ".SelfAttention.v.weight", (long) heads * head, width)
                        .tensor(attention + ".SelfAttention.o.weight", width, (long) heads * head)
                        .tensor(feedForward + ".layer_norm.weight", width)
                        .tensor(feedForward + ".DenseReluDense.wi_0.weight", mlp, width)
                        .tensor(feedForward + ".DenseReluDense.wi_1.weight", mlp, width)
                        .tensor(feedForward + ".DenseReluDense.wo.weight", width, mlp);
            }
            return tensors;
        }

        /** Returns the logarithm of the distances that the logarithmic buckets cover, as Python computes it. */
        double logRange() {
            int exact = buckets / 4;
            return StrictMath.log((double) distanceMax / exact);
        }
    }

    private T5TextEncoder(Config config, MappedWeights weights, TorchModule module) {
        this.config = config;
        this.weights = weights;
        this.module = module;
    }

    /**
     * Returns the tensors that the encoder's configuration asks for.
     *
     * @param names of the tensors that the component has, from which the form of their names is seen
     * @throws IOException naming the file and the key, if this encoder is not computed
     */
    public static ExpectedTensors expected(ModelFolder folder, String component, Set<String> names) throws IOException {
        return Config.read(folder, component)
                .tensors(names.contains("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight");
    }

    /**
     * Opens the encoder in a folder of a model.
     *
     * @param component its folder, such as {@code text_encoder_2}
     * @param precision element type of the computation
     * @throws IOException naming the file, the key or the tensor that is wrong
     */
    public static T5TextEncoder open(ModelFolder folder, String component, Precision precision) throws IOException {
        Config config = Config.read(folder, component);
        MappedWeights weights = MappedWeights.of(folder.weights(component));
        try {
            boolean shared = weights.arrays().containsKey("shared.weight");
            config.tensors(shared ? "shared.weight" : "encoder.embed_tokens.weight")
                    .check(folder.root().resolve(component), weights);
            return new T5TextEncoder(
                    config,
                    weights,
                    new TorchModule(TorchScriptSource.of("t5_encoder")
                            .with("EPSILON", String.valueOf(config.epsilon))
                            .with("LOG_RANGE", String.valueOf(config.logRange()))
                            .with("DTYPE", TokenIds.scalarType(precision))
                            .text()));
        } catch (IOException | RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Returns the sizes of the encoder. */
    public Config config() {
        return config;
    }

    /** Returns a scope that frees its arrays when closed. */
    public NDManager scope() {
        return module.scope();
    }

    /**
     * Returns the last hidden state, FLOAT32 [1, ids, width]; every token attends to all, padding included.
     *
     * @param ids at most {@value #TOKENS_MAX}
     */
    public NDArray lastHiddenState(NDManager scope, long[] ids) {
        TokenIds.check(ids, config.vocabulary, TOKENS_MAX);
        NDList inputs = new NDList(TokenIds.array(scope, ids));
        inputs.addAll(weights.dictionary(_ -> true));
        return module.call(scope, "last_hidden_state", inputs).get(0);
    }

    @Override
    public void close() {
        module.close();
        weights.close();
    }
}
