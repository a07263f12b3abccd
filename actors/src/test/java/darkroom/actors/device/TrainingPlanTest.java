package darkroom.actors.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.run.Settings;
import darkroom.config.TrainingSettings;
import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TrainingPlanTest {
    private static final Prompt PROMPT = new Prompt("row", "Adjust", "make it blue", "", tensor(0), null);

    private static TensorRef tensor(int id) {
        return new TensorRef(id, "here", TensorRef.ElementType.UINT8, List.of(1), 0);
    }

    private static List<TrainingSample> trainingSamples(int groups, int slots) {
        List<TrainingSample> trainingSamples = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            for (int slot = 0; slot < slots; slot++) {
                RolloutResult.Image image = new RolloutResult.Image(tensor(100 * group + slot), tensor(0), null);
                trainingSamples.add(new TrainingSample(group, slot, PROMPT, image, 0.5, 0));
            }
        }
        return trainingSamples;
    }

    private static TrainingPlan plan(
            long seed, int step, List<TrainingSample> trainingSamples, int timesteps, int passes, int unit) {
        return TrainingPlan.of(
                seed, step, trainingSamples, Settings.rollout(0), Settings.training(timesteps, passes, unit));
    }

    /** LP-1 to LP-4. */
    @Property(tries = 200)
    void every_training_sample_is_in_its_samples_and_every_sample_in_one_unit_whatever_order_they_are_given_in(
            @ForAll long seed,
            @ForAll @IntRange(max = 500) int step,
            @ForAll @IntRange(max = 5) int groups,
            @ForAll @IntRange(min = 1, max = 7) int slots,
            @ForAll @IntRange(min = 1, max = 4) int timesteps,
            @ForAll @IntRange(min = 1, max = 5) int passes,
            @ForAll @IntRange(min = 1, max = 9) int unit,
            @ForAll int shuffle) {
        List<TrainingSample> trainingSamples = trainingSamples(groups, slots);
        TrainingPlan plan = plan(seed, step, trainingSamples, timesteps, passes, unit);

        Map<TrainingSample, Set<Integer>> trainedAt = new HashMap<>();
        for (TrainingPlan.Pass pass : plan.passes()) {
            assertThat(pass.samples()).as("LP-4").isPositive();
            for (List<TrainUnit.Sample> samples : pass.units()) {
                boolean last = samples.equals(pass.units().getLast());
                assertThat(samples.size()).isBetween(last ? 1 : unit, unit);
                for (TrainUnit.Sample sample : samples) {
                    assertThat(trainedAt
                                    .computeIfAbsent(sample.trainingSample(), _ -> new HashSet<>())
                                    .add(sample.timestep()))
                            .as("LP-2")
                            .isTrue();
                }
            }
        }
        assertThat(trainedAt.keySet()).containsExactlyInAnyOrderElementsOf(trainingSamples);
        assertThat(trainedAt.values()).as("LP-1").allMatch(steps -> steps.size() == timesteps);
        assertThat(plan.samples()).isEqualTo(trainingSamples.size() * timesteps);
        assertThat(plan.passes()).as("LP-4").hasSize(Math.min(passes, trainingSamples.size() * timesteps));

        List<TrainingSample> shuffled = new ArrayList<>(trainingSamples);
        Collections.shuffle(shuffled, new Random(shuffle));
        assertThat(plan(seed, step, shuffled, timesteps, passes, unit))
                .as("LP-3")
                .isEqualTo(plan);
    }

    /** LP-1 to LP-5 of Flow-GRPO. */
    @Property(tries = 200)
    void flow_grpo_trains_the_first_steps_of_whole_images_that_differ_from_their_group(
            @ForAll long seed,
            @ForAll @IntRange(max = 5) int groups,
            @ForAll @IntRange(min = 1, max = 7) int slots,
            @ForAll @IntRange(min = 1, max = 3) int timesteps,
            @ForAll @IntRange(min = 1, max = 5) int passes,
            @ForAll @IntRange(min = 1, max = 9) int unit,
            @ForAll int shuffle) {
        Random random = new Random(shuffle);
        List<TrainingSample> trainingSamples = trainingSamples(groups, slots).stream()
                .map(trainingSample -> new TrainingSample(
                        trainingSample.group(),
                        trainingSample.slot(),
                        PROMPT,
                        trainingSample.image(),
                        0.5,
                        random.nextInt(3) - 1))
                .toList();
        List<TrainingSample> trained = trainingSamples.stream()
                .filter(trainingSample -> trainingSample.advantage() != 0)
                .toList();
        TrainingPlan plan = grpoPlan(seed, trainingSamples, timesteps, passes, unit);

        assertThat(plan.passes()).as("LP-4").hasSize(Math.min(passes, trained.size()));
        List<TrainingSample> planned = new ArrayList<>();
        for (TrainingPlan.Pass pass : plan.passes()) {
            Map<TrainingSample, List<Integer>> steps = new HashMap<>();
            for (List<TrainUnit.Sample> samples : pass.units()) {
                boolean last = samples.equals(pass.units().getLast());
                assertThat(samples.size()).isBetween(last ? 1 : unit, unit);
                samples.forEach(sample -> steps.computeIfAbsent(sample.trainingSample(), _ -> new ArrayList<>())
                        .add(sample.timestep()));
            }
            assertThat(steps.values())
                    .as("LP-5")
                    .allMatch(each ->
                            each.equals(IntStream.range(0, timesteps).boxed().toList()));
            planned.addAll(steps.keySet());
        }
        assertThat(planned).containsExactlyInAnyOrderElementsOf(trained);

        List<TrainingSample> shuffled = new ArrayList<>(trainingSamples);
        Collections.shuffle(shuffled, random);
        assertThat(grpoPlan(seed, shuffled, timesteps, passes, unit)).as("LP-3").isEqualTo(plan);
    }

    private static TrainingPlan grpoPlan(
            long seed, List<TrainingSample> trainingSamples, int timesteps, int passes, int unit) {
        return TrainingPlan.of(
                seed,
                0,
                trainingSamples,
                Settings.rollout(0),
                Settings.training(TrainingSettings.Objective.FLOW_GRPO, timesteps, passes, unit));
    }

    @Test
    void flow_grpo_refuses_to_train_the_last_step() {
        assertThatThrownBy(() -> grpoPlan(1, trainingSamples(1, 1), 4, 1, 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("training.timesteps-per-image=4")
                .hasMessageContaining("3 of rollout.solver-steps=4");
    }

    @Test
    void passes_differ_by_one_sample_at_most() {
        TrainingPlan plan = plan(1, 0, trainingSamples(5, 5), 1, 4, 3);
        assertThat(plan.passes().stream().mapToInt(TrainingPlan.Pass::samples)).containsExactly(6, 6, 6, 7);
    }

    @Test
    void another_seed_or_step_is_another_plan() {
        List<TrainingSample> trainingSamples = trainingSamples(4, 5);
        assertThat(List.of(
                        plan(1, 0, trainingSamples, 2, 3, 4),
                        plan(2, 0, trainingSamples, 2, 3, 4),
                        plan(1, 1, trainingSamples, 2, 3, 4)))
                .doesNotHaveDuplicates();
    }

    @Test
    void more_timesteps_than_the_solver_has_are_refused() {
        assertThatThrownBy(() -> plan(1, 0, trainingSamples(1, 1), 99, 1, 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("training.timesteps-per-image=99");
    }
}
