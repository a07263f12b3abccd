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

/** The text encoder of CLIP: token ids to the pooled output, as CLIPTextModel of transformers. Thread-confined. */
public final class ClipTextEncoder implements AutoCloseable {
    private final Config config;
    private final MappedWeights weights;
    private final TorchModule module;

    /**
     * Sizes of the encoder: {@code config.json} of its folder.
     *
     * @param vocabulary {@code vocab_size}
     * @param positions {@code max_position_embeddings}: most tokens of a text
     * @param width {@code hidden_size}
     * @param mlp {@code intermediate_size}
     * @param layers {@code num_hidden_layers}
     * @param heads {@code num_attention_heads}
     * @param activation {@code hidden_act}: quick_gelu or gelu
     * @param epsilon {@code layer_norm_eps}
     * @param end {@code eos_token_id}; 2 in older configurations, where the token with the largest id is the end
     */
    public record Config(
            int vocabulary,
            int positions,
            int width,
            int mlp,
            int layers,
            int heads,
            String activation,
            double epsilon,
            int end) {

        static Config read(ModelFolder folder, String component) throws IOException {
            ConfigFile file = ConfigFile.read(folder.file(component, "config.json"));
            file.expect("model_type", "clip_text_model");
            String activation = file.text("hidden_act").orElse("quick_gelu");
            if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
                throw file.wrong("hidden_act", activation, "quick_gelu or gelu");
            }
            Config config = new Config(
                    file.positive("vocab_size"),
                    file.positive("max_position_embeddings"),
                    file.positive("hidden_size"),
                    file.positive("intermediate_size"),
                    file.positive("num_hidden_layers"),
                    file.positive("num_attention_heads"),
                    activation,
                    file.number("layer_norm_eps", 1e-5),
                    (int) file.number("eos_token_id", 49_407));
            if (config.width % config.heads != 0) {
                throw file.wrong(
                        "num_attention_heads",
                        String.valueOf(config.heads),
                        "a divisor of hidden_size=" + config.width);
            }
            return config;
        }

        ExpectedTensors tensors(String prefix) {
            ExpectedTensors tensors = new ExpectedTensors()
                    .tensor(prefix + "embeddings.token_embedding.weight", vocabulary, width)
                    .tensor(prefix + "embeddings.position_embedding.weight", positions, width)
                    .norm(prefix + "final_layer_norm", width);
            for (int i = 0; i < layers; i++) {
                String layer = prefix + "encoder.layers." + i;
                tensors.norm(layer + ".layer_norm1", width)
                        .norm(layer + ".layer_norm2", width)
                        .linear(layer + ".self_attn.q_proj", width, width)
                        .linear(layer + ".self_attn.k_proj", width, width)
                        .linear(layer + ".self_attn.v_proj", width, width)
                        .linear(layer + ".self_attn.out_proj", width, width)
                        .linear(layer + ".mlp.fc1", width, mlp)
                        .linear(layer + ".mlp.fc2", mlp, width);
            }
            return tensors;
        }
    }

    private ClipTextEncoder(Config config, MappedWeights weights, TorchModule module) {
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
                .tensors(names.contains("text_model.embeddings.token_embedding.weight") ? "text_model." : "");
    }

    /**
     * Opens the encoder in a folder of a model.
     *
     * @param component its folder, such as {@code text_encoder}
     * @param precision element type of the computation
     * @throws IOException naming the file, the key or the tensor that is wrong
     */
    public static ClipTextEncoder open(ModelFolder folder, String component, Precision precision) throws IOException {
        Config config = Config.read(folder, component);
        MappedWeights weights = MappedWeights.of(folder.weights(component));
        try {
            boolean prefixed = weights.arrays().containsKey("text_model.embeddings.token_embedding.weight");
            config.tensors(prefixed ? "text_model." : "").check(folder.root().resolve(component), weights);
            return new ClipTextEncoder(
                    config,
                    weights,
                    new TorchModule(TorchScriptSource.of("clip_text")
                            .with("HEADS", String.valueOf(config.heads))
                            .with("EPSILON", String.valueOf(config.epsilon))
                            .with("ACTIVATION", config.activation)
                            .with("END", String.valueOf(config.end))
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
     * Returns the pooled output, FLOAT32 [1, width]: the state after the final norm at the first end token.
     *
     * @param ids at most {@link Config#positions}
     */
    public NDArray pooled(NDManager scope, long[] ids) {
        TokenIds.check(ids, config.vocabulary, config.positions);
        NDList inputs = new NDList(TokenIds.array(scope, ids));
        inputs.addAll(weights.dictionary(_ -> true));
        return module.call(scope, "pooled", inputs).get(0);
    }

    @Override
    public void close() {
        module.close();
        weights.close();
    }
}
