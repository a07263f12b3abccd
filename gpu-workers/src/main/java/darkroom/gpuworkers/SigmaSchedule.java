package darkroom.gpuworkers;

import darkroom.config.RolloutSettings.Schedule;

/**
 * Noise levels from 1 (noise) to 0 (data), in double precision.
 *
 * <p>The flow-matching Euler scheduler of diffusers with dynamic exponential shift: from s = linspace(1, 1/n, n), sigma =
 * e^mu / (e^mu + 1/s - 1), where mu is linear in the number of latent tokens. diffusers rounds s to float32, which moves
 * sigma by up to 3e-8; this class does not round. {@link Schedule#QWEN} is then stretched to end at 0.02, which takes two
 * steps: with one, diffusers divides 0 by 0. {@link Schedule#LINEAR} is s itself.
 */
public final class SigmaSchedule {
    /** Latent tokens of a 512x512 image in both public models: patches of 16x16 pixels. */
    public static final int LATENT_TOKENS_AT_512 = 1024;

    private static final double QWEN_LAST_SIGMA = 0.02;

    private SigmaSchedule() {}

    /**
     * Returns the {@code steps + 1} noise levels of a rollout, the first 1 and the last 0.
     *
     * @param steps solver steps, at least 1; at least 2 for {@link Schedule#QWEN}
     * @param latentTokens length of the latent sequence, at least 1; unused by {@link Schedule#LINEAR}
     */
    public static double[] sigmas(Schedule schedule, int steps, int latentTokens) {
        if (steps < 1 || latentTokens < 1) {
            throw new IllegalArgumentException(
                    "steps=%d, latentTokens=%d: each must be at least 1".formatted(steps, latentTokens));
        }
        if (schedule == Schedule.QWEN && steps < 2) {
            throw new IllegalArgumentException(
                    "steps=%d of schedule qwen: at least 2, for its noise levels are stretched from 1 to %s"
                            .formatted(steps, QWEN_LAST_SIGMA));
        }
        double[] sigmas = new double[steps + 1];
        switch (schedule) {
            case LINEAR -> {
                for (int i = 0; i < steps; i++) {
                    sigmas[i] = (double) (steps - i) / steps;
                }
            }
            case KONTEXT -> shift(sigmas, mu(latentTokens, 4096, 1.15));
            case QWEN -> {
                shift(sigmas, mu(latentTokens, 8192, 0.9));
                stretch(sigmas);
            }
        }
        return sigmas;
    }

    private static double mu(int latentTokens, int maxTokens, double maxShift) {
        int baseTokens = 256;
        double baseShift = 0.5;
        return baseShift + (maxShift - baseShift) * (latentTokens - baseTokens) / (maxTokens - baseTokens);
    }

    private static void shift(double[] sigmas, double mu) {
        int steps = sigmas.length - 1;
        double slope = steps == 1 ? 0 : (1.0 / steps - 1) / (steps - 1);
        double shift = StrictMath.exp(mu);
        for (int i = 0; i < steps; i++) {
            double even = i > 0 && i == steps - 1 ? 1.0 / steps : 1 + i * slope;
            sigmas[i] = shift / (shift + (1.0 / even - 1));
        }
    }

    private static void stretch(double[] sigmas) {
        int steps = sigmas.length - 1;
        double last = 1 - sigmas[steps - 1];
        for (int i = 0; i < steps; i++) {
            sigmas[i] = 1 - (1 - sigmas[i]) * (1 - QWEN_LAST_SIGMA) / last;
        }
    }
}
