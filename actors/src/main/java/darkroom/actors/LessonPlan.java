package darkroom.actors;

import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which samples form which gradient unit of which optimizer step: a function of the step's lessons alone, never of who
 * is there to compute them.
 *
 * <p>With DiffusionNFT every image is trained at T of the n solver timesteps, chosen by a permutation keyed by (seed,
 * step, group, slot). All samples, in (group, slot, timestep ordinal) order, are permuted once by (seed, step), cut into S
 * consecutive passes whose sizes differ by at most one, and each pass into units of {@code training.unit-samples}, of
 * which the last may be shorter.
 *
 * <p>With Flow-GRPO, as in its public code, every image whose advantage is not 0 is trained at the first T solver steps,
 * of which the last is never one, and images rather than samples are permuted and cut into passes: all steps of an image
 * are in one pass. How many units a trainer takes at a time is no part of the plan: {@link StepTrainer} cuts a pass into
 * blocks, and {@link SumTree} sees to it that blocks change no bit.
 *
 * <ul>
 *   <li><b>LP-1</b> Every lesson that is trained is in exactly T samples, at T different timesteps.
 *   <li><b>LP-2</b> Every sample is in exactly one unit of one pass.
 *   <li><b>LP-3</b> The order in which lessons are given changes nothing.
 *   <li><b>LP-4</b> No pass is empty: fewer samples than S make fewer passes.
 *   <li><b>LP-5</b> With Flow-GRPO no lesson of advantage 0 is trained, and no lesson at the last solver step.
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

    /** @throws IllegalArgumentException if more timesteps are to be trained than the solver has for the objective */
    public static LessonPlan of(
            long seed, int step, List<Lesson> lessons, RolloutSettings rollout, TrainingSettings training) {
        int trainable =
                switch (training.objective()) {
                    case DIFFUSION_NFT -> rollout.solverSteps();
                    case FLOW_GRPO -> rollout.solverSteps() - 1; // LP-5
                };
        if (training.timestepsPerImage() > trainable) {
            throw new IllegalArgumentException(
                    "training.timesteps-per-image=%d is more than the %d of rollout.solver-steps=%d that are trained; lower it to at most that"
                            .formatted(training.timestepsPerImage(), trainable, rollout.solverSteps()));
        }
        List<Lesson> ordered = lessons.stream()
                .sorted(Comparator.comparingInt(Lesson::group).thenComparingInt(Lesson::slot))
                .toList(); // LP-3
        List<List<TrainUnit.Sample>> passes =
                switch (training.objective()) {
                    case DIFFUSION_NFT -> samplesApart(seed, step, ordered, rollout, training);
                    case FLOW_GRPO -> imagesTogether(seed, step, ordered, training);
                };
        return new LessonPlan(passes.stream()
                .map(samples -> pass(samples, training.unitSamples()))
                .toList());
    }

    private static List<List<TrainUnit.Sample>> samplesApart(
            long seed, int step, List<Lesson> lessons, RolloutSettings rollout, TrainingSettings training) {
        List<TrainUnit.Sample> samples = new ArrayList<>();
        for (Lesson lesson : lessons) {
            int[] timesteps = RandomKey.of(seed, RandomKey.Purpose.TIMESTEPS, step, lesson.group(), lesson.slot())
                    .permutation(rollout.solverSteps());
            for (int i = 0; i < training.timestepsPerImage(); i++) {
                samples.add(new TrainUnit.Sample(lesson, timesteps[i])); // LP-1
            }
        }
        return cut(permuted(seed, step, samples), training.optimizerSteps());
    }

    private static List<List<TrainUnit.Sample>> imagesTogether(
            long seed, int step, List<Lesson> lessons, TrainingSettings training) {
        List<Lesson> trained =
                lessons.stream().filter(lesson -> lesson.advantage() != 0).toList(); // LP-5
        return cut(permuted(seed, step, trained), training.optimizerSteps()).stream()
                .map(images -> images.stream()
                        .flatMap(lesson -> IntStream.range(0, training.timestepsPerImage()) // LP-1
                                .mapToObj(timestep -> new TrainUnit.Sample(lesson, timestep)))
                        .toList())
                .toList();
    }

    private static <T> List<T> permuted(long seed, int step, List<T> all) {
        int[] order =
                RandomKey.of(seed, RandomKey.Purpose.LESSON_ORDER).atStep(step).permutation(all.size());
        return Arrays.stream(order).mapToObj(all::get).toList();
    }

    /** In consecutive parts, none empty, whose sizes differ by one at most. */
    private static <T> List<List<T>> cut(List<T> all, int parts) {
        int count = Math.min(parts, all.size()); // LP-4
        return IntStream.range(0, count)
                .mapToObj(part -> all.subList(
                        (int) ((long) all.size() * part / count), (int) ((long) all.size() * (part + 1) / count)))
                .toList();
    }

    private static Pass pass(List<TrainUnit.Sample> samples, int unitSamples) {
        List<List<TrainUnit.Sample>> units = new ArrayList<>();
        for (int first = 0; first < samples.size(); first += unitSamples) {
            units.add(samples.subList(first, Math.min(first + unitSamples, samples.size()))); // LP-2
        }
        return new Pass(units);
    }
}
