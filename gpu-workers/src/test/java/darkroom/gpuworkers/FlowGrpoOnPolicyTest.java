package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.events.RunEvent;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings.Solver;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings;
import darkroom.config.TrainingSettings.Objective;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that Flow-GRPO does its rollout with the policy that it trains, and takes its ratio against that policy. */
class FlowGrpoOnPolicyTest {
    private static final int SAMPLES = 8;

    private static RunSettings settings(boolean bf16Rollout, int lora, boolean bf16Training) {
        return TorchRun.settings(
                7,
                Solver.SDE,
                precision(bf16Rollout),
                0,
                TorchRun.training(Objective.FLOW_GRPO, lora, SAMPLES, precision(bf16Training)));
    }

    /**
     * With an advantage of -1 each, the clipped loss of a sample is the larger of its ratio and its clipped ratio: the mean
     * over eight is exactly 1 where every ratio is exactly 1, for any precision of the rollout.
     */
    @ParameterizedTest
    @CsvSource({
        "false, 0, false",
        "true, 0, false",
        "true, 0, true",
        "false, 2, false",
        "true, 2, true",
    })
    void the_ratio_is_exactly_one_where_the_policy_that_drew_is_the_trained_one(
            boolean bf16Rollout, int lora, boolean bf16Training) {
        try (TorchRun run = new TorchRun(settings(bf16Rollout, lora, bf16Training))) {
            LearnerState state = TorchRun.learner(run.policy, run.store, 7);
            assertThat(loss(run, state)).isEqualTo(1.0);
        }
    }

    @Test
    void the_ratio_is_not_one_after_an_optimizer_step() {
        try (TorchRun run = new TorchRun(settings(false, 0, false)).with(1, 1, TorchRun.Mishaps.NONE)) {
            LearnerState after = run.run(1).state().learner();
            LearnerState before = TorchRun.learner(run.policy, run.store, 7);
            LearnerState lagging = new LearnerState(
                    after.optimizerSteps(),
                    after.trained(),
                    after.firstMoment(),
                    after.secondMoment(),
                    before.old(),
                    after.average());
            assertThat(loss(run, lagging)).isNotEqualTo(1.0);
        }
    }

    private static double loss(TorchRun run, LearnerState state) {
        Prompt prompt = TorchRun.prompt(run.store, 1);
        RolloutUnit generate = new RolloutUnit(
                "run", 7, RolloutUnit.Purpose.TRAINING, 0, 0, 4, new PolicyVersion(0), state.old(), prompt);
        try (TorchRolloutDevice rollout =
                        new TorchRolloutDevice("rollout", run.policy, run.policy.rollout(), run.store);
                TorchTrainerDevice trainer =
                        new TorchTrainerDevice("trainer", run.policy, run.policy.training(), 5, run.store)) {
            RolloutResult generated =
                    rollout.perform(generate).toCompletableFuture().join();
            List<TrainUnit.Sample> samples = new ArrayList<>();
            for (int i = 0; i < SAMPLES; i++) {
                TrainingSample trainingSample =
                        new TrainingSample(0, i % 4, prompt, generated.images().get(i % 4), 0.4, -1);
                samples.add(new TrainUnit.Sample(trainingSample, i / 4));
            }
            TrainUnit block = new TrainUnit.GradientBlock("run", 7, 0, 0, 0, state, List.of(samples), SAMPLES);
            return ((Trained.Gradient)
                            trainer.perform(block).toCompletableFuture().join())
                    .policyLoss();
        }
    }

    /** Every pass is the first one of its step, so that its loss is the mean of -A. */
    @Test
    void a_run_draws_every_step_with_the_policy_it_trained_and_begins_with_a_ratio_of_one() {
        RunSettings settings = settings(false, 0, false);
        TrainingSettings one = oneOptimizerStep(settings.training());
        try (TorchRun run =
                new TorchRun(TorchRun.settings(7, settings.rollout(), one)).with(2, 2, TorchRun.Mishaps.NONE)) {
            RunEvent.Ended ended = run.run(3);
            assertThat(run.store.read(ended.state().newest().weights()).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(run.store.read(ended.state().learner().trained()).toArray(ValueLayout.JAVA_BYTE));
            List<RunEvent.StepCommitted> steps = run.heard.stream()
                    .filter(RunEvent.StepCommitted.class::isInstance)
                    .map(RunEvent.StepCommitted.class::cast)
                    .toList();
            assertThat(steps).hasSize(3).allSatisfy(step -> {
                double[] trained = step.statistics().groups().stream()
                        .flatMap(group -> group.standings().stream())
                        .flatMap(Optional::stream)
                        .mapToDouble(GroupStatistics.RelativeReward::advantage)
                        .filter(advantage -> advantage != 0)
                        .toArray();
                assertThat(step.trainingSamples()).isEqualTo(one.timestepsPerImage() * trained.length);
                assertThat(step.passes()).hasSize(1);
                assertThat(step.passes().getFirst().policyLoss())
                        .isCloseTo(-Arrays.stream(trained).average().orElseThrow(), within(1e-6));
            });
        }
    }

    private static Precision precision(boolean bf16) {
        return bf16 ? Precision.BF16 : Precision.F32;
    }

    private static TrainingSettings oneOptimizerStep(TrainingSettings training) {
        return new TrainingSettings(
                training.objective(),
                training.weighting(),
                training.beta(),
                training.klWeight(),
                training.clipRange(),
                training.timestepsPerImage(),
                1,
                training.unitSamples(),
                training.precision(),
                training.lora(),
                training.loraAlpha(),
                training.optimizer(),
                training.oldPolicy(),
                training.oldPolicyDecay(),
                training.emaDecay());
    }
}
