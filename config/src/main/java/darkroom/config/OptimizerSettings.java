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
        double gradientClip) {
    private static final double LARGEST_BETA = 0.999999;

    public OptimizerSettings {
        Allowed.real("training.optimizer.learning-rate", learningRate, 0, 1);
        Allowed.whole("training.optimizer.warmup-steps", warmupSteps, 0, Integer.MAX_VALUE);
        Allowed.real("training.optimizer.beta1", beta1, 0, LARGEST_BETA);
        Allowed.real("training.optimizer.beta2", beta2, 0, LARGEST_BETA);
        Allowed.above("training.optimizer.epsilon", epsilon, 0);
        Allowed.atLeast("training.optimizer.weight-decay", weightDecay, 0);
        Allowed.above("training.optimizer.gradient-clip", gradientClip, 0);
    }
}
