package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.pretrained.ConfigFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Sizes of a FLUX transformer: {@code transformer/config.json} of a model folder.
 *
 * @param doubleBlocks {@code num_layers}
 * @param singleBlocks {@code num_single_layers}
 * @param heads {@code num_attention_heads}
 * @param headDim {@code attention_head_dim}
 * @param channels {@code in_channels}: values of one image token, 4 times the channels of a latent
 * @param promptDim {@code joint_attention_dim}: values of one token of the T5 encoder
 * @param pooledDim {@code pooled_projection_dim}: values of CLIP's pooled output
 * @param axes {@code axes_dims_rope}: how the head is divided among the three axes of positions
 * @param guidance {@code guidance_embeds}: whether the model is distilled for guidance and takes its scale as an input
 */
public record FluxConfig(
        int doubleBlocks,
        int singleBlocks,
        int heads,
        int headDim,
        int channels,
        int promptDim,
        int pooledDim,
        List<Integer> axes,
        boolean guidance) {

    public FluxConfig {
        axes = List.copyOf(axes);
    }

    /**
     * Reads a configuration.
     *
     * @throws IOException naming the file and the key, if the configuration does not describe a FLUX transformer that Darkroom
     *     computes
     */
    public static FluxConfig read(Path file) throws IOException {
        ConfigFile config = ConfigFile.read(file);
        config.expect("_class_name", "FluxTransformer2DModel");
        config.expect("patch_size", "1");
        FluxConfig flux = new FluxConfig(
                config.positive("num_layers"),
                config.positive("num_single_layers"),
                config.positive("num_attention_heads"),
                config.positive("attention_head_dim"),
                config.positive("in_channels"),
                config.positive("joint_attention_dim"),
                config.positive("pooled_projection_dim"),
                config.numbers("axes_dims_rope"),
                config.truth("guidance_embeds"));
        int rotated = flux.axes.stream().mapToInt(Integer::intValue).sum();
        if (flux.axes.size() != 3
                || rotated != flux.headDim
                || flux.axes.stream().anyMatch(axis -> axis % 2 != 0)) {
            throw config.wrong(
                    "axes_dims_rope",
                    flux.axes.toString(),
                    "three even numbers whose sum is attention_head_dim=" + flux.headDim);
        }
        double out = config.number("out_channels", flux.channels);
        if (out != flux.channels) {
            throw config.wrong(
                    "out_channels",
                    config.root().path("out_channels").toString(),
                    "in_channels=%d; variants that take masks or control pictures as channels are not computed"
                            .formatted(flux.channels));
        }
        if (flux.channels % 4 != 0) {
            throw config.wrong("in_channels", String.valueOf(flux.channels), "a multiple of 4");
        }
        return flux;
    }

    /** Returns the width of the transformer. */
    public int dim() {
        return heads * headDim;
    }

    /** Returns the channels of a latent. */
    public int latentChannels() {
        return channels / 4;
    }
}
