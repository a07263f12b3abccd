package darkroom.actors;

import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which samples form which gradient unit of which optimizer step: a function of the step's lessons alone, never of who
 * is there to compute them.
 *
 * <p>Every image is trained at T of the n solver timesteps, chosen by a permutation keyed by (seed, step, group, slot).
 * All samples, in (group, slot, timestep ordinal) order, are permuted once by (seed, step), cut into S consecutive passes
 * whose sizes differ by at most one, and each pass into units of {@code training.unit-samples}, of which the last may be
 * shorter. How many units a trainer takes at a time is no part of the plan: {@link StepTrainer} cuts a pass into
 * blocks, and {@link SumTree} sees to it that blocks change no bit.
 *
 * <ul>
 *   <li><b>LP-1</b> Every lesson is in exactly T samples, at T different timesteps.
 *   <li><b>LP-2</b> Every sample is in exactly one unit of one pass.
 *   <li><b>LP-3</b> The order in which lessons are given changes nothing.
 *   <li><b>LP-4</b> No pass is empty: fewer samples than S make fewer passes.
 * </ul>
 */
public record LessonPlan(List<Pass> passes) {
    public LessonPlan {
        passes = List.copyOf(passes);
    }

    /** One optimizer step: its units in the order of the reduction tree's leaves. */
    public record Pass(List<List<TrainUnit.Sample>> units) {
        public Pass {
            units = units.stream().map(List::copyOf).toList();
        }

        /** Samples of the pass: what gradients are divided by. */
        public int samples() {
            return units.stream().mapToInt(List::size).sum();
        }
    }

    /** Samples of the step. */
    public int samples() {
        return passes.stream().mapToInt(Pass::samples).sum();
    }

    /** @throws IllegalArgumentException if more timesteps are to be trained than the solver has */
    public static LessonPlan of(
            long seed, int step, List<Lesson> lessons, RolloutSettings rollout, TrainingSettings training) {
        if (training.timestepsPerImage() > rollout.solverSteps()) {
            throw new IllegalArgumentException(
                    "training.timesteps-per-image=%d is more than rollout.solver-steps=%d; lower it to at most that"
                            .formatted(training.timestepsPerImage(), rollout.solverSteps()));
        }
        List<Lesson> ordered = lessons.stream()
                .sorted(Comparator.comparingInt(Lesson::group).thenComparingInt(Lesson::slot))
                .toList(); // LP-3
        List<TrainUnit.Sample> samples = new ArrayList<>();
        for (Lesson lesson : ordered) {
            int[] timesteps = RandomKey.of(seed, RandomKey.Purpose.TIMESTEPS, step, lesson.group(), lesson.slot())
                    .permutation(rollout.solverSteps());
            for (int i = 0; i < training.timestepsPerImage(); i++) {
                samples.add(new TrainUnit.Sample(lesson, timesteps[i])); // LP-1
            }
        }
        int[] order =
                RandomKey.of(seed, RandomKey.Purpose.LESSON_ORDER).atStep(step).permutation(samples.size());
        List<Pass> passes = new ArrayList<>();
        int count = Math.min(training.optimizerSteps(), samples.size()); // LP-4
        for (int pass = 0; pass < count; pass++) {
            int from = (int) ((long) samples.size() * pass / count);
            int to = (int) ((long) samples.size() * (pass + 1) / count);
            passes.add(pass(samples, order, from, to, training.unitSamples()));
        }
        return new LessonPlan(passes);
    }

    private static Pass pass(List<TrainUnit.Sample> samples, int[] order, int from, int to, int unitSamples) {
        List<List<TrainUnit.Sample>> units = new ArrayList<>();
        for (int first = from; first < to; first += unitSamples) {
            List<TrainUnit.Sample> unit = new ArrayList<>();
            for (int i = first; i < Math.min(first + unitSamples, to); i++) {
                unit.add(samples.get(order[i])); // LP-2
            }
            units.add(unit);
        }
        return new Pass(units);
    }
}
