package darkroom.actors.device;

import darkroom.actors.numeric.RandomKey;
import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Assigns samples to the gradient units of each optimizer step: a function of the step's training samples alone,
 * independent of the nodes that compute them.
 *
 * <p>With DiffusionNFT every image is trained at T of the n solver timesteps, chosen by a permutation keyed by (seed, step,
 * group, slot). All samples, in (group, slot, timestep ordinal) order, are permuted once by (seed, step), cut into S
 * consecutive passes whose sizes differ by at most one, and each pass into units of {@code training.unit-samples}; the last
 * unit may be shorter.
 *
 * <p>With Flow-GRPO, as in its public code, every image whose advantage is not 0 is trained at the first T solver steps,
 * never at the last one, and images rather than samples are permuted and cut into passes: all steps of an image are in one
 * pass. The number of units that a trainer takes at a time is not part of the plan: {@link StepTrainer} cuts a pass into
 * blocks, and {@link SumTree} ensures that blocks change no bit.
 *
 * <ul>
 *   <li><b>LP-1</b> Every training sample that is trained is in exactly T samples, at T different timesteps.
 *   <li><b>LP-2</b> Every sample is in exactly one unit of one pass.
 *   <li><b>LP-3</b> The order of the training samples in the input changes nothing.
 *   <li><b>LP-4</b> No pass is empty: fewer samples than S make fewer passes.
 *   <li><b>LP-5</b> With Flow-GRPO no training sample of advantage 0 is trained, and none at the last solver step.
 * </ul>
 */
public record TrainingPlan(List<Pass> passes) {
    public TrainingPlan {
        passes = List.copyOf(passes);
    }

    /** One optimizer step: its units in the order of the reduction tree's leaves. */
    public record Pass(List<List<TrainUnit.Sample>> units) {
        public Pass {
            units = units.stream().map(List::copyOf).toList();
        }

        /** Returns the number of samples of the pass, by which gradients are divided. */
        public int samples() {
            return units.stream().mapToInt(List::size).sum();
        }
    }

    /** Returns the number of samples of the step. */
    public int samples() {
        return passes.stream().mapToInt(Pass::samples).sum();
    }

    /**
     * Plans a step.
     *
     * @throws IllegalArgumentException if more timesteps are to be trained than the solver has for the objective
     */
    public static TrainingPlan of(
            long seed,
            int step,
            List<TrainingSample> trainingSamples,
            RolloutSettings rollout,
            TrainingSettings training) {
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
        List<TrainingSample> ordered = trainingSamples.stream()
                .sorted(Comparator.comparingInt(TrainingSample::group).thenComparingInt(TrainingSample::slot))
                .toList(); // LP-3
        List<List<TrainUnit.Sample>> passes =
                switch (training.objective()) {
                    case DIFFUSION_NFT -> samplesApart(seed, step, ordered, rollout, training);
                    case FLOW_GRPO -> imagesTogether(seed, step, ordered, training);
                };
        return new TrainingPlan(passes.stream()
                .map(samples -> pass(samples, training.unitSamples()))
                .toList());
    }

    private static List<List<TrainUnit.Sample>> samplesApart(
            long seed,
            int step,
            List<TrainingSample> trainingSamples,
            RolloutSettings rollout,
            TrainingSettings training) {
        List<TrainUnit.Sample> samples = new ArrayList<>();
        for (TrainingSample trainingSample : trainingSamples) {
            int[] timesteps = RandomKey.of(
                            seed, RandomKey.Purpose.TIMESTEPS, step, trainingSample.group(), trainingSample.slot())
                    .permutation(rollout.solverSteps());
            for (int i = 0; i < training.timestepsPerImage(); i++) {
                samples.add(new TrainUnit.Sample(trainingSample, timesteps[i])); // LP-1
            }
        }
        return cut(permuted(seed, step, samples), training.optimizerSteps());
    }

    private static List<List<TrainUnit.Sample>> imagesTogether(
            long seed, int step, List<TrainingSample> trainingSamples, TrainingSettings training) {
        List<TrainingSample> trained = trainingSamples.stream()
                .filter(trainingSample -> trainingSample.advantage() != 0)
                .toList(); // LP-5
        return cut(permuted(seed, step, trained), training.optimizerSteps()).stream()
                .map(images -> images.stream()
                        .flatMap(trainingSample -> IntStream.range(0, training.timestepsPerImage()) // LP-1
                                .mapToObj(timestep -> new TrainUnit.Sample(trainingSample, timestep)))
                        .toList())
                .toList();
    }

    private static <T> List<T> permuted(long seed, int step, List<T> all) {
        int[] order = RandomKey.of(seed, RandomKey.Purpose.TRAINING_SAMPLE_ORDER)
                .atStep(step)
                .permutation(all.size());
        return Arrays.stream(order).mapToObj(all::get).toList();
    }

    /** Cuts a list into consecutive, non-empty parts whose sizes differ by at most one. */
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
