package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.checkpoints.Safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;

/** A tiny folder in the layout of FLUX.1-Kontext-dev, with random bfloat16 weights. */
final class FluxFolder {
    static final FluxConfig CONFIG = new FluxConfig(1, 1, 2, 6, 8, 5, 3, List.of(2, 2, 2), true);
    static final String FIRST = "diffusion_pytorch_model-00001-of-00002.safetensors";
    static final String SECOND = "diffusion_pytorch_model-00002-of-00002.safetensors";
    static final String INDEX = "diffusion_pytorch_model.safetensors.index.json";

    private FluxFolder() {}

    static Path write(Path folder) throws IOException {
        text(folder, "model_index.json", """
            {"_class_name": "FluxKontextPipeline",
             "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
             "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "T5EncoderModel"],
             "transformer": ["diffusers", "FluxTransformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]}
            """);
        text(folder, "README.md", """
            ---
            license: other
            license_name: flux-1-dev-non-commercial-license
            ---
            # A model
            """);
        text(folder, "scheduler/scheduler_config.json", """
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true, "shift": 3.0}
            """);
        text(folder, "transformer/config.json", """
            {"_class_name": "FluxTransformer2DModel", "num_layers": 1, "num_single_layers": 1, "num_attention_heads": 2,
             "attention_head_dim": 6, "in_channels": 8, "out_channels": null, "patch_size": 1, "joint_attention_dim": 5,
             "pooled_projection_dim": 3, "axes_dims_rope": [2, 2, 2], "guidance_embeds": true}
            """);
        text(folder, "vae/config.json", "{\"block_out_channels\": [4, 8], \"latent_channels\": 2}");
        text(folder, "text_encoder/config.json", "{\"hidden_size\": 3}");
        text(folder, "text_encoder_2/config.json", "{\"d_model\": 5, \"d_ff\": 7, \"num_heads\": 2}");
        text(folder, "tokenizer/vocab.json", "{}");
        text(folder, "tokenizer/merges.txt", "#version: 0.2\n");
        text(folder, "tokenizer_2/tokenizer.json", "{}");
        shards(folder, FluxModules.tensors(CONFIG), Dtype.BF16);
        for (String component : List.of("vae/diffusion_pytorch_model", "text_encoder/model", "text_encoder_2/model")) {
            Safetensors.write(
                    folder.resolve(component + ".safetensors"), Map.of(), List.of(tensor("x", List.of(2), Dtype.F32)));
        }
        return folder;
    }

    /** Writes the transformer in two shards with their index. */
    static void shards(Path folder, SortedMap<String, List<Integer>> shapes, Dtype dtype) throws IOException {
        List<Tensor> first = new ArrayList<>();
        List<Tensor> second = new ArrayList<>();
        StringBuilder index = new StringBuilder();
        shapes.forEach((name, shape) -> {
            boolean before = name.compareTo("single_transformer_blocks.0.proj_out") < 0;
            (before ? first : second).add(tensor(name, shape, dtype));
            index.append(index.isEmpty() ? "" : ",").append("\"%s\": \"%s\"".formatted(name, before ? FIRST : SECOND));
        });
        Safetensors.write(folder.resolve("transformer").resolve(FIRST), Map.of("format", "pt"), first);
        Safetensors.write(folder.resolve("transformer").resolve(SECOND), Map.of("format", "pt"), second);
        text(folder, "transformer/" + INDEX, "{\"weight_map\": {" + index + "}}");
    }

    static Tensor tensor(String name, List<Integer> shape, Dtype dtype) {
        int count = shape.stream().reduce(1, (a, b) -> a * b);
        ByteBuffer floats = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(name.hashCode());
        for (int i = 0; i < count; i++) {
            floats.putFloat(i % 7 == 0 ? -0f : (float) random.nextGaussian());
        }
        return new Tensor(name, dtype, shape, () -> Safetensors.encode(dtype, MemorySegment.ofArray(floats.array())));
    }

    static Path text(Path folder, String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
