package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.pretrained.ConfigFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Noise levels of a model folder: {@code scheduler/scheduler_config.json}, FlowMatchEulerDiscreteScheduler of diffusers, in
 * float32 as it computes them.
 *
 * @param dynamic whether the shift depends on the number of latent tokens
 * @param shift constant shift, where it does not
 * @param baseTokens tokens at which mu is {@code baseShift}
 * @param maxTokens tokens at which mu is {@code maxShift}; larger pictures follow the same line
 * @param terminal last noise level before 0, to which the others are stretched; 0 for none
 */
public record FlowMatchScheduler(
        boolean dynamic,
        double shift,
        int baseTokens,
        int maxTokens,
        double baseShift,
        double maxShift,
        double terminal) {

    /**
     * Reads a configuration.
     *
     * @throws IOException naming the file and the key, for a schedule that Darkroom does not compute
     */
    public static FlowMatchScheduler read(Path file) throws IOException {
        ConfigFile config = ConfigFile.read(file);
        config.expect("_class_name", "FlowMatchEulerDiscreteScheduler");
        config.expect("time_shift_type", "exponential");
        config.expect("num_train_timesteps", "1000");
        for (String unsupported : new String[] {
            "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "invert_sigmas", "stochastic_sampling"
        }) {
            config.expect(unsupported, "false");
        }
        return new FlowMatchScheduler(
                config.truth("use_dynamic_shifting", false),
                config.number("shift", 1),
                (int) config.number("base_image_seq_len", 256),
                (int) config.number("max_image_seq_len", 4096),
                config.number("base_shift", 0.5),
                config.number("max_shift", 1.15),
                config.number("shift_terminal", 0));
    }

    /**
     * Returns the {@code steps + 1} noise levels of a rollout, the last 0.
     *
     * @param tokens noisy tokens: height times width of the latent, divided by 4
     */
    public float[] sigmas(int steps, int tokens) {
        float[] sigmas = new float[steps + 1];
        for (int i = 0; i < steps; i++) {
            float even = (float) (steps == 1 ? 1 : 1 + i * (1.0 / steps - 1) / (steps - 1));
            if (dynamic) {
                float factor = (float) StrictMath.exp(mu(tokens));
                sigmas[i] = factor / (factor + (1 / even - 1));
            } else {
                sigmas[i] = (float) shift * even / (1 + (float) (shift - 1) * even);
            }
        }
        if (terminal > 0) {
            if (steps == 1) {
                throw new IllegalArgumentException(
                        "steps=1 with shift_terminal=%s: at least 2, for the levels are stretched from 1 to it"
                                .formatted(terminal));
            }
            float factor = (1 - sigmas[steps - 1]) / (float) (1 - terminal);
            for (int i = 0; i < steps; i++) {
                sigmas[i] = 1 - (1 - sigmas[i]) / factor;
            }
        }
        return sigmas;
    }

    private double mu(int tokens) {
        double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
        return tokens * slope + (baseShift - slope * baseTokens);
    }
}
