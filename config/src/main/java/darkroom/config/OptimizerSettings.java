package darkroom.config;

/**
 * AdamW with decoupled weight decay.
 *
 * @param learningRate constant after the warm-up
 * @param warmupSteps optimizer steps over which the rate rises linearly from lr/warmup to lr
 * @param weightDecay decoupled decay, per step times the rate
 * @param gradientClip largest Euclidean norm of the whole gradient
 */
public record OptimizerSettings(
        double learningRate,
        int warmupSteps,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        double gradientClip) {}
