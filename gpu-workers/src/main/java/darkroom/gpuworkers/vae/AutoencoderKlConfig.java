package darkroom.gpuworkers.vae;

import darkroom.gpuworkers.pretrained.ConfigFile;
import darkroom.gpuworkers.pretrained.ExpectedTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Sizes of an AutoencoderKL: {@code vae/config.json} of a model folder.
 *
 * @param blocks {@code block_out_channels}; every block but the last halves the picture
 * @param layers {@code layers_per_block}
 * @param groups {@code norm_num_groups}
 * @param latentChannels {@code latent_channels}
 * @param scaling {@code scaling_factor}
 * @param shift {@code shift_factor}; 0 where there is none
 * @param quantConv {@code use_quant_conv}
 * @param postQuantConv {@code use_post_quant_conv}
 * @param attention {@code mid_block_add_attention}
 */
public record AutoencoderKlConfig(
        List<Integer> blocks,
        int layers,
        int groups,
        int latentChannels,
        double scaling,
        double shift,
        boolean quantConv,
        boolean postQuantConv,
        boolean attention) {
    private static final int RGB = 3;

    public AutoencoderKlConfig {
        blocks = List.copyOf(blocks);
    }

    /**
     * Reads a configuration.
     *
     * @throws IOException naming the file and the key, if it does not describe an autoencoder that Darkroom computes
     */
    public static AutoencoderKlConfig read(Path file) throws IOException {
        ConfigFile config = ConfigFile.read(file);
        config.expect("_class_name", "AutoencoderKL");
        config.expect("in_channels", String.valueOf(RGB));
        config.expect("out_channels", String.valueOf(RGB));
        config.expect("act_fn", "silu");
        config.expect("latents_mean", "null");
        config.expect("latents_std", "null");
        for (String key : List.of("down_block_types", "up_block_types")) {
            String type = key.startsWith("down") ? "DownEncoderBlock2D" : "UpDecoderBlock2D";
            for (var block : config.root().path(key)) {
                if (!block.asText().equals(type)) {
                    throw config.wrong(key, block.toString(), type);
                }
            }
        }
        AutoencoderKlConfig vae = new AutoencoderKlConfig(
                config.numbers("block_out_channels"),
                config.positive("layers_per_block"),
                (int) config.number("norm_num_groups", 32),
                config.positive("latent_channels"),
                config.number("scaling_factor", 0.18215),
                config.number("shift_factor", 0),
                config.truth("use_quant_conv", true),
                config.truth("use_post_quant_conv", true),
                config.truth("mid_block_add_attention", true));
        if (vae.groups < 1 || vae.blocks.stream().anyMatch(channels -> channels % vae.groups != 0)) {
            throw config.wrong(
                    "norm_num_groups",
                    String.valueOf(vae.groups),
                    "a divisor of all of block_out_channels=" + vae.blocks);
        }
        if (vae.scaling == 0) {
            throw config.wrong("scaling_factor", "0", "a number other than 0");
        }
        return vae;
    }

    /** Returns the pixels of a side of the picture for one value of the latent. */
    public int pixelsPerLatent() {
        return 1 << (blocks.size() - 1);
    }

    /** Returns what the weights must contain. */
    public ExpectedTensors tensors() {
        ExpectedTensors tensors = new ExpectedTensors();
        int first = blocks.getFirst();
        int last = blocks.getLast();
        tensors.conv("encoder.conv_in", RGB, first, 3);
        int in = first;
        for (int i = 0; i < blocks.size(); i++) {
            String name = "encoder.down_blocks." + i;
            int out = blocks.get(i);
            for (int k = 0; k < layers; k++) {
                resnet(tensors, name + ".resnets." + k, k == 0 ? in : out, out);
            }
            if (i < blocks.size() - 1) {
                tensors.conv(name + ".downsamplers.0.conv", out, out, 3);
            }
            in = out;
        }
        middle(tensors, "encoder.mid_block", last);
        tensors.norm("encoder.conv_norm_out", last).conv("encoder.conv_out", last, 2 * latentChannels, 3);
        if (quantConv) {
            tensors.conv("quant_conv", 2 * latentChannels, 2 * latentChannels, 1);
        }
        if (postQuantConv) {
            tensors.conv("post_quant_conv", latentChannels, latentChannels, 1);
        }
        tensors.conv("decoder.conv_in", latentChannels, last, 3);
        middle(tensors, "decoder.mid_block", last);
        in = last;
        for (int i = 0; i < blocks.size(); i++) {
            String name = "decoder.up_blocks." + i;
            int out = blocks.get(blocks.size() - 1 - i);
            for (int k = 0; k < layers + 1; k++) {
                resnet(tensors, name + ".resnets." + k, k == 0 ? in : out, out);
            }
            if (i < blocks.size() - 1) {
                tensors.conv(name + ".upsamplers.0.conv", out, out, 3);
            }
            in = out;
        }
        return tensors.norm("decoder.conv_norm_out", first).conv("decoder.conv_out", first, RGB, 3);
    }

    private void middle(ExpectedTensors tensors, String name, int width) {
        resnet(tensors, name + ".resnets.0", width, width);
        resnet(tensors, name + ".resnets.1", width, width);
        if (attention) {
            tensors.norm(name + ".attentions.0.group_norm", width);
            for (String linear : List.of("to_q", "to_k", "to_v", "to_out.0")) {
                tensors.linear(name + ".attentions.0." + linear, width, width);
            }
        }
    }

    private static void resnet(ExpectedTensors tensors, String name, int in, int out) {
        tensors.norm(name + ".norm1", in)
                .conv(name + ".conv1", in, out, 3)
                .norm(name + ".norm2", out)
                .conv(name + ".conv2", out, out, 3);
        if (in != out) {
            tensors.conv(name + ".conv_shortcut", in, out, 1);
        }
    }
}
