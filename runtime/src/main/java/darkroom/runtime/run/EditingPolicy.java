package darkroom.runtime.run;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A policy that generates edits, and the settings that it was made with.
 *
 * @param name what was loaded, for display
 * @param run directory of the run that made the weights; null for a base
 * @param weights evaluation average of a checkpoint, or a base
 */
@SuppressWarnings("ArrayRecordComponent")
public // only carries weights: instances are never compared
record EditingPolicy(
        String name,
        RunSettings settings,
        EmbeddedPolicy policy,
        float[] weights,
        @Nullable Path run) {
    private static final Logger LOG = LoggerFactory.getLogger(EditingPolicy.class);
    private static final long CHECKPOINT_BYTES_MAX = 1L << 30;

    /**
     * Loads a policy.
     *
     * @param source {@code mixed}, {@code clean}, a safetensors file of a base, a checkpoint, or a run (its newest
     *     checkpoint that is whole)
     * @param overrides settings that take precedence over those of the run
     */
    public static EditingPolicy load(String source, List<String> overrides) throws IOException {
        Path path = Path.of(source);
        if (DitWeights.SHIPPED.contains(source) || Files.isRegularFile(path)) {
            RunSettings settings = Precisions.decided(Recipes.load("embedded-demo", overrides));
            DitWeights base = DitWeights.base(source);
            return new EditingPolicy(source, settings, policy(base, settings), base.flat(), null);
        }
        if (!Files.isDirectory(path)) {
            throw new CommandFailedException(
                    "%s is neither one of %s, nor a safetensors file, nor a checkpoint, nor the directory of a run"
                            .formatted(source, DitWeights.SHIPPED),
                    ExitCode.USAGE);
        }
        boolean run = Files.isRegularFile(path.resolve(LocalRun.SETTINGS));
        Path home =
                run ? path : path.toAbsolutePath().normalize().resolve("../..").normalize();
        RunSettings settings =
                Precisions.decidedAs(LocalRun.settingsOf(home, List.of()), LocalRun.settingsOf(home, overrides));
        Precisions.tellIfSlow(settings, LOG::warn);
        RunFit.requireModel(settings);
        try (OffHeapTensorStore store = new OffHeapTensorStore("local", CHECKPOINT_BYTES_MAX)) {
            Checkpoints.Loaded loaded = run
                    ? CheckpointWriter.in(path)
                            .loadNewest(store)
                            .orElseThrow(() -> new CommandFailedException(
                                    "%s has no checkpoint yet; a run writes one every checkpoints.every-steps=%d steps"
                                            .formatted(
                                                    path, settings.checkpoints().everySteps())))
                    : Checkpoints.load(path, store);
            float[] weights = store.read(loaded.state().learner().average()).toArray(ValueLayout.JAVA_FLOAT);
            RunInputs.requireBase(settings);
            DitWeights base = DitWeights.base(settings.policy().base());
            return new EditingPolicy(loaded.path().toString(), settings, policy(base, settings), weights, home);
        }
    }

    /** Puts the weights into the store as a tensor that the caller releases. */
    public TensorRef put(TensorStore store) {
        return store.put(
                TensorRef.ElementType.FLOAT32,
                List.of(weights.length),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(weights)));
    }

    private static EmbeddedPolicy policy(DitWeights base, RunSettings settings) {
        return new EmbeddedPolicy(base, settings.rollout(), settings.evaluation(), settings.training());
    }
}
