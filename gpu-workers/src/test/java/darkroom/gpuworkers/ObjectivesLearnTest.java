package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.RunEvent;
import darkroom.config.OptimizerSettings;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings;
import darkroom.config.RolloutSettings.Solver;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings;
import darkroom.config.TrainingSettings.Objective;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that both objectives raise a simple and exact reward: the brightness of an image. */
class ObjectivesLearnTest {
    private static final int STEPS = 24;

    /** Equal images; clip range, advantage clip and the two optimizer steps of Flow-GRPO as in its recipe. */
    @ParameterizedTest
    @EnumSource(Objective.class)
    void images_become_as_bright_as_the_judge_likes_them(Objective objective) {
        try (TorchRun run =
                new TorchRun(settings(objective)).with(1, 1, TorchRun.Mishaps.NONE, ObjectivesLearnTest::brightness)) {
            assertThat(run.run(STEPS).end()).isEqualTo(new RunEvent.End.Completed());
            List<Double> rewards = run.heard.stream()
                    .filter(RunEvent.StepCommitted.class::isInstance)
                    .map(event ->
                            ((RunEvent.StepCommitted) event).statistics().mean().orElseThrow())
                    .toList();
            assertThat(mean(rewards.subList(STEPS - 4, STEPS)))
                    .as("mean brightness of steps, first to last: %s", rewards)
                    .isGreaterThan(mean(rewards.subList(0, 4)) + 0.02);
        }
    }

    private static double brightness(byte[] pixels) {
        long sum = 0;
        for (byte pixel : pixels) {
            sum += Byte.toUnsignedInt(pixel);
        }
        return sum / (255.0 * pixels.length);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    private static RunSettings settings(Objective objective) {
        boolean grpo = objective == Objective.FLOW_GRPO;
        TrainingSettings training = new TrainingSettings(
                objective,
                TrainingSettings.Weighting.ADAPTIVE,
                1,
                0,
                1e-4,
                grpo ? 3 : 1,
                2,
                16,
                Precision.F32,
                0,
                1,
                new OptimizerSettings(3e-3, 0, 0.9, 0.999, 1e-8, 1e-4, 1),
                grpo ? TrainingSettings.OldPolicy.ON_POLICY : TrainingSettings.OldPolicy.CONSTANT,
                0.5,
                0.9);
        return TorchRun.settings(
                7,
                new RolloutSettings(
                        4,
                        8,
                        4,
                        RolloutSettings.Schedule.LINEAR,
                        grpo ? Solver.SDE : Solver.DPM2,
                        0.7,
                        Precision.F32,
                        0),
                training);
    }
}
