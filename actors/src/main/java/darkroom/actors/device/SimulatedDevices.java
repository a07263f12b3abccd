package darkroom.actors.device;

import darkroom.actors.numeric.SumTree;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Devices without a model that take microseconds: every result is a pure function of the content that its unit names. They
 * hash what a real device computes from and add gradients along the same {@link SumTree}, so every mistake in what is
 * generated, scored, trained or added, and in which order, changes the digests of a run.
 */
public final class SimulatedDevices {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final TensorStore store;
    private final int parameters;
    private final Executor executor;

    /**
     * @param parameters length of every weight tensor
     * @param executor runs the work; {@code Runnable::run} does it in the call
     */
    public SimulatedDevices(TensorStore store, int parameters, Executor executor) {
        this.store = store;
        this.parameters = parameters;
        this.executor = executor;
    }

    /** Creates the learner state at the start of a run. */
    public LearnerState learner(long seed) {
        return new LearnerState(
                0,
                weights(index -> uniform(mix(seed, index))),
                weights(_ -> 0f),
                weights(_ -> 0f),
                weights(index -> uniform(mix(seed, index))),
                weights(index -> uniform(mix(seed, index))));
    }

    /** Creates a prompt whose source image is a hash of its row. */
    public Prompt prompt(String row) {
        TensorRef source = store.put(
                TensorRef.ElementType.UINT8, List.of(2, 2, 3), bytes -> fillBytes(bytes, row.hashCode() * 31L));
        return new Prompt(row, "Adjust", "make " + row + " blue", "", source, null);
    }

    /** Creates a device that generates latents of 8 floats and images of 2 x 2 pixels. */
    public Device<RolloutUnit, RolloutResult> rollout() {
        return new Simulated<>(this::generate);
    }

    /**
     * Creates a device that scores in steps of 1/16, so that ties happen; one image in {@code unscoredEvery} is unscored, 0
     * for none.
     */
    public Device<ScoreUnit, ScoreOutcome> reward(int unscoredEvery) {
        return new Simulated<>(unit -> score(unit, unscoredEvery));
    }

    public Device<TrainUnit, Trained> trainer() {
        return new Simulated<>(unit -> switch (unit) {
            case TrainUnit.GradientBlock gradient -> gradient(gradient);
            case TrainUnit.UpdateUnit update -> update(update);
        });
    }

    private final class Simulated<U extends Unit, R extends Result> implements Device<U, R> {
        private final Function<U, R> function;

        Simulated(Function<U, R> function) {
            this.function = function;
        }

        @Override
        public CompletionStage<R> perform(U unit) {
            return CompletableFuture.supplyAsync(() -> function.apply(unit), executor);
        }

        @Override
        public void close() {}
    }

    private RolloutResult generate(RolloutUnit unit) {
        long weights = content(unit.weights());
        List<RolloutResult.Image> images = new ArrayList<>();
        for (int slot = 0; slot < unit.slots(); slot++) {
            long key = mix(mix(unit.seed(), unit.purpose().name().length()), mix(unit.step(), mix(unit.group(), slot)));
            long hash = mix(mix(key, weights), content(unit.prompt().source()));
            TensorRef latent = floats(8, index -> uniform(mix(hash, index)));
            TensorRef pixels =
                    store.put(TensorRef.ElementType.UINT8, List.of(2, 2, 3), bytes -> fillBytes(bytes, hash + 1));
            images.add(new RolloutResult.Image(latent, pixels, null));
        }
        return new RolloutResult(images);
    }

    private ScoreOutcome score(ScoreUnit unit, int unscoredEvery) {
        long hash = mix(content(unit.pixels()), content(unit.prompt().source()));
        if (unscoredEvery > 0 && Math.floorMod(hash, unscoredEvery) == 0) {
            return new ScoreOutcome.Unscored("simulated refusal", 1);
        }
        return new ScoreOutcome.Scored(Math.floorMod(hash >>> 8, 17) / 16.0, 1, 1, "simulated");
    }

    private Trained.Gradient gradient(TrainUnit.GradientBlock block) {
        SumTree<float[]> gradients = new SumTree<>(SimulatedDevices::added);
        SumTree<Double> losses = new SumTree<>(Double::sum);
        for (List<TrainUnit.Sample> unit : block.units()) {
            gradients.add(gradient(block, unit));
            losses.add(unit.size() / (double) block.validSamples());
        }
        float[] sum = gradients.sum();
        return new Trained.Gradient(floats(parameters, index -> sum[index]), losses.sum(), 0);
    }

    private float[] gradient(TrainUnit.GradientBlock block, List<TrainUnit.Sample> unit) {
        MemorySegment trained = store.read(block.state().trained());
        MemorySegment old = store.read(block.state().old());
        float[] sum = new float[parameters];
        for (TrainUnit.Sample sample : unit) {
            TrainingSample trainingSample = sample.trainingSample();
            long hash = mix(content(trainingSample.image().latent()), mix(sample.timestep(), block.seed()));
            float weight = (float) (2 * trainingSample.optimality() - 1);
            for (int i = 0; i < parameters; i++) {
                float distance = trained.getAtIndex(FLOAT, i) - old.getAtIndex(FLOAT, i);
                sum[i] += (weight * uniform(mix(hash, i)) + 0.01f * distance) / block.validSamples();
            }
        }
        return sum;
    }

    private Trained.Updated update(TrainUnit.UpdateUnit unit) {
        SumTree<float[]> gradients = new SumTree<>(SimulatedDevices::added);
        unit.gradients().forEach(ref -> gradients.add(store.read(ref).toArray(FLOAT)));
        float[] gradient = gradients.sum();
        LearnerState before = unit.state();
        MemorySegment trained = store.read(before.trained());
        MemorySegment first = store.read(before.firstMoment());
        MemorySegment second = store.read(before.secondMoment());
        MemorySegment old = store.read(before.old());
        MemorySegment average = store.read(before.average());
        float norm = 0;
        for (float value : gradient) {
            norm += value * value;
        }
        TensorRef newTrained = floats(parameters, i -> trained.getAtIndex(FLOAT, i) - 0.1f * gradient[i]);
        MemorySegment theta = store.read(newTrained);
        float keep = unit.lastPass() ? 0.5f : 1;
        LearnerState after = new LearnerState(
                before.optimizerSteps() + 1,
                newTrained,
                floats(parameters, i -> 0.9f * first.getAtIndex(FLOAT, i) + 0.1f * gradient[i]),
                floats(parameters, i -> 0.99f * second.getAtIndex(FLOAT, i) + 0.01f * gradient[i] * gradient[i]),
                floats(parameters, i -> keep * old.getAtIndex(FLOAT, i) + (1 - keep) * theta.getAtIndex(FLOAT, i)),
                floats(parameters, i -> 0.9f * average.getAtIndex(FLOAT, i) + 0.1f * theta.getAtIndex(FLOAT, i)));
        return new Trained.Updated(after, Math.sqrt(norm));
    }

    private static float[] added(float[] left, float[] right) {
        for (int i = 0; i < left.length; i++) {
            left[i] += right[i];
        }
        return left;
    }

    private interface FloatAt {
        float at(int index);
    }

    private TensorRef weights(FloatAt values) {
        return floats(parameters, values);
    }

    private TensorRef floats(int count, FloatAt values) {
        return store.put(TensorRef.ElementType.FLOAT32, List.of(count), bytes -> {
            for (int i = 0; i < count; i++) {
                bytes.setAtIndex(FLOAT, i, values.at(i));
            }
        });
    }

    private static void fillBytes(MemorySegment bytes, long hash) {
        for (long i = 0; i < bytes.byteSize(); i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) mix(hash, i));
        }
    }

    private long content(TensorRef ref) {
        long hash = 7;
        for (byte value : store.read(ref).toArray(ValueLayout.JAVA_BYTE)) {
            hash = 31 * hash + value;
        }
        return hash;
    }

    /** Returns a number in -1 to 1. */
    private static float uniform(long hash) {
        return (hash >> 40) / (float) (1 << 23);
    }

    private static long mix(long a, long b) {
        long hash = (a ^ Long.rotateLeft(b * 0x9E3779B97F4A7C15L, 31)) * 0xBF58476D1CE4E5B9L;
        return (hash ^ hash >>> 29) * 0x94D049BB133111EBL;
    }
}
