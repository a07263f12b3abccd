package darkroom.actors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.TrainingSettings;
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

class LessonPlanTest {
    private static final Prompt PROMPT = new Prompt("row", "Adjust", "make it blue", "", tensor(0), null);

    private static TensorRef tensor(int id) {
        return new TensorRef(id, "here", TensorRef.ElementType.UINT8, List.of(1), 0);
    }

    private static List<Lesson> lessons(int groups, int slots) {
        List<Lesson> lessons = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            for (int slot = 0; slot < slots; slot++) {
                Drawn.Image image = new Drawn.Image(tensor(100 * group + slot), tensor(0), null);
                lessons.add(new Lesson(group, slot, PROMPT, image, 0.5, 0));
            }
        }
        return lessons;
    }

    private static LessonPlan plan(long seed, int step, List<Lesson> lessons, int timesteps, int passes, int unit) {
        return LessonPlan.of(seed, step, lessons, Settings.rollout(0), Settings.training(timesteps, passes, unit));
    }

    /** LP-1 to LP-4. */
    @Property(tries = 200)
    void every_lesson_is_in_its_samples_and_every_sample_in_one_unit_whatever_order_they_are_given_in(
            @ForAll long seed,
            @ForAll @IntRange(max = 500) int step,
            @ForAll @IntRange(max = 5) int groups,
            @ForAll @IntRange(min = 1, max = 7) int slots,
            @ForAll @IntRange(min = 1, max = 4) int timesteps,
            @ForAll @IntRange(min = 1, max = 5) int passes,
            @ForAll @IntRange(min = 1, max = 9) int unit,
            @ForAll int shuffle) {
        List<Lesson> lessons = lessons(groups, slots);
        LessonPlan plan = plan(seed, step, lessons, timesteps, passes, unit);

        Map<Lesson, Set<Integer>> trainedAt = new HashMap<>();
        for (LessonPlan.Pass pass : plan.passes()) {
            assertThat(pass.samples()).as("LP-4").isPositive();
            for (List<TrainUnit.Sample> samples : pass.units()) {
                boolean last = samples.equals(pass.units().getLast());
                assertThat(samples.size()).isBetween(last ? 1 : unit, unit);
                for (TrainUnit.Sample sample : samples) {
                    assertThat(trainedAt
                                    .computeIfAbsent(sample.lesson(), _ -> new HashSet<>())
                                    .add(sample.timestep()))
                            .as("LP-2")
                            .isTrue();
                }
            }
        }
        assertThat(trainedAt.keySet()).containsExactlyInAnyOrderElementsOf(lessons);
        assertThat(trainedAt.values()).as("LP-1").allMatch(steps -> steps.size() == timesteps);
        assertThat(plan.samples()).isEqualTo(lessons.size() * timesteps);
        assertThat(plan.passes()).as("LP-4").hasSize(Math.min(passes, lessons.size() * timesteps));

        List<Lesson> shuffled = new ArrayList<>(lessons);
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
        List<Lesson> lessons = lessons(groups, slots).stream()
                .map(lesson ->
                        new Lesson(lesson.group(), lesson.slot(), PROMPT, lesson.image(), 0.5, random.nextInt(3) - 1))
                .toList();
        List<Lesson> trained =
                lessons.stream().filter(lesson -> lesson.advantage() != 0).toList();
        LessonPlan plan = grpoPlan(seed, lessons, timesteps, passes, unit);

        assertThat(plan.passes()).as("LP-4").hasSize(Math.min(passes, trained.size()));
        List<Lesson> planned = new ArrayList<>();
        for (LessonPlan.Pass pass : plan.passes()) {
            Map<Lesson, List<Integer>> steps = new HashMap<>();
            for (List<TrainUnit.Sample> samples : pass.units()) {
                boolean last = samples.equals(pass.units().getLast());
                assertThat(samples.size()).isBetween(last ? 1 : unit, unit);
                samples.forEach(sample -> steps.computeIfAbsent(sample.lesson(), _ -> new ArrayList<>())
                        .add(sample.timestep()));
            }
            assertThat(steps.values())
                    .as("LP-5")
                    .allMatch(each ->
                            each.equals(IntStream.range(0, timesteps).boxed().toList()));
            planned.addAll(steps.keySet());
        }
        assertThat(planned).containsExactlyInAnyOrderElementsOf(trained);

        List<Lesson> shuffled = new ArrayList<>(lessons);
        Collections.shuffle(shuffled, random);
        assertThat(grpoPlan(seed, shuffled, timesteps, passes, unit)).as("LP-3").isEqualTo(plan);
    }

    private static LessonPlan grpoPlan(long seed, List<Lesson> lessons, int timesteps, int passes, int unit) {
        return LessonPlan.of(
                seed,
                0,
                lessons,
                Settings.rollout(0),
                Settings.training(TrainingSettings.Objective.FLOW_GRPO, timesteps, passes, unit));
    }

    @Test
    void flow_grpo_refuses_to_train_the_last_step() {
        assertThatThrownBy(() -> grpoPlan(1, lessons(1, 1), 4, 1, 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("training.timesteps-per-image=4")
                .hasMessageContaining("3 of rollout.solver-steps=4");
    }

    @Test
    void passes_differ_by_one_sample_at_most() {
        LessonPlan plan = plan(1, 0, lessons(5, 5), 1, 4, 3);
        assertThat(plan.passes().stream().mapToInt(LessonPlan.Pass::samples)).containsExactly(6, 6, 6, 7);
    }

    @Test
    void another_seed_or_step_is_another_plan() {
        List<Lesson> lessons = lessons(4, 5);
        assertThat(List.of(plan(1, 0, lessons, 2, 3, 4), plan(2, 0, lessons, 2, 3, 4), plan(1, 1, lessons, 2, 3, 4)))
                .doesNotHaveDuplicates();
    }

    @Test
    void more_timesteps_than_the_solver_has_are_refused() {
        assertThatThrownBy(() -> plan(1, 0, lessons(1, 1), 99, 1, 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("training.timesteps-per-image=99");
    }
}
