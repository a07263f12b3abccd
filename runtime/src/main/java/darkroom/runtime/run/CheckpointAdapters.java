package darkroom.runtime.run;

import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.gpuworkers.flux.FluxKontext;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.tensors.OffHeapTensorStore;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Adapters that a run has trained, from one of its checkpoints. */
public final class CheckpointAdapters {
    private static final long CHECKPOINT_BYTES_MAX = 1L << 34;

    private CheckpointAdapters() {}

    /**
     * Reads the evaluation average of a checkpoint.
     *
     * @param source directory of a run, whose newest whole checkpoint is read, or of a checkpoint
     * @return empty if {@code source} is neither
     * @throws CommandFailedException if the run has no checkpoint, or trains no adapters of a large model
     */
    public static Optional<LoraFile> read(Path source) throws IOException {
        boolean run = Files.isRegularFile(source.resolve(LocalRun.SETTINGS));
        Path home = run
                ? source
                : source.toAbsolutePath().normalize().resolve("../..").normalize();
        if (!Files.isDirectory(source) || !Files.isRegularFile(home.resolve(LocalRun.SETTINGS))) {
            return Optional.empty();
        }
        RunSettings settings = LocalRun.settingsOf(home, List.of());
        if (!(PolicyModels.open(settings) instanceof FluxKontext model)) {
            throw new CommandFailedException(
                    "%s trains policy.model=%s; adapters are exported from runs of policy.model=%s"
                            .formatted(home, settings.policy().model(), PolicyModels.FLUX_KONTEXT),
                    ExitCode.USAGE);
        }
        try (OffHeapTensorStore store = new OffHeapTensorStore("local", CHECKPOINT_BYTES_MAX)) {
            Checkpoints.Loaded loaded = run
                    ? CheckpointWriter.in(source)
                            .loadNewest(store)
                            .orElseThrow(() -> new CommandFailedException(
                                    "%s has no checkpoint yet; a run writes one every checkpoints.every-steps=%d steps"
                                            .formatted(
                                                    source,
                                                    settings.checkpoints().everySteps())))
                    : Checkpoints.load(source, store);
            float[] average = store.read(loaded.state().learner().average()).toArray(ValueLayout.JAVA_FLOAT);
            return Optional.of(new LoraFile(model.trained(), average, model.scale()));
        }
    }
}
