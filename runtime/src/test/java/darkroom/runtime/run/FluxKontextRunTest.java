package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.ledger.RunDigests;
import darkroom.config.Recipes;
import darkroom.edittasks.datasets.DatasetRow;
import darkroom.edittasks.datasets.DatasetWriter;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.rewardactors.simulation.SimulatedScorer;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.report.Summary;
import darkroom.tensors.OffHeapTensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs of FLUX.1-Kontext with tiny weights: pictures of a dataset, a scorer over HTTP, adapters that are trained. */
final class FluxKontextRunTest {
    private static final Path WEIGHTS =
            Path.of("../gpu-workers/src/test/resources/darkroom/gpuworkers/flux-kontext-tiny");

    @TempDir
    private Path directory = Path.of("unset");

    private final StringWriter out = new StringWriter();

    /** P-1 and P-7 for the large model. */
    @Test
    void a_resumed_run_at_another_worker_count_ends_as_if_it_had_never_stopped() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.versioned()) {
            Path straight = directory.resolve("straight");
            Path stopped = directory.resolve("stopped");
            assertThat(start(straight, scorer, "steps=2")).isEqualTo(ExitCode.OK);
            assertThat(start(stopped, scorer, "steps=1")).isEqualTo(ExitCode.OK);
            assertThat(LocalRun.resume(
                            stopped,
                            List.of("steps=2", "workers.rollout-devices=2", "workers.trainer-devices=2"),
                            new PrintWriter(out)))
                    .isEqualTo(ExitCode.OK);
            assertThat(digests(stopped)).isEqualTo(digests(straight));
            Summary summary = Summary.read(straight);
            assertThat(summary.counts().images().issued()).isEqualTo(12);
            assertThat(summary.counts().images().unscored()).isZero();
            exported(straight);
        }
    }

    /** Adapters of a checkpoint can be exported, and have moved from where they began: B of zeros. */
    private static void exported(Path run) throws Exception {
        LoraFile adapters = CheckpointAdapters.read(run).orElseThrow();
        FlatLayout.Entry b = adapters.layout().entry("transformer_blocks.0.attn.to_q.lora_B.weight");
        float[] values = Arrays.copyOfRange(adapters.flat(), b.offset(), b.offset() + b.size());
        assertThat(values).isNotEqualTo(new float[b.size()]);
        assertThat(adapters.scale()).isEqualTo(64.0 / 2);
        assertThat(CheckpointAdapters.read(WEIGHTS)).as("no run").isEmpty();
    }

    @Test
    void weights_that_are_no_model_folder_are_refused_before_anything_is_written() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.versioned()) {
            Path run = directory.resolve("run");
            assertThatThrownBy(() -> start(run, scorer, "policy.weights=\"" + directory + "\""))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("model_index.json is missing");
            assertThatThrownBy(() -> start(run, scorer, "policy.weights=\"\""))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("policy.weights=: no directory that can be read");
            assertThatThrownBy(() -> start(run, scorer, "policy.resolution=40", "training.lora=0"))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("policy.resolution=40: a multiple of 16")
                    .hasMessageContaining("training.lora=0");
            assertThat(run).doesNotExist();
        }
    }

    private ExitCode start(Path run, SimulatedScorer scorer, String... overrides) throws Exception {
        List<String> all = new ArrayList<>(List.of(
                "policy.weights=\"" + WEIGHTS + "\"",
                "policy.resolution=32",
                "policy.prompt-tokens=16",
                "data.source=\"" + dataset() + "\"",
                "scoring.endpoints=[\"" + scorer.url() + "\"]",
                "rollout.groups-per-step=2",
                "rollout.images-per-group=3",
                "rollout.solver-steps=2",
                "rollout.precision=f32",
                "training.precision=f32",
                "training.lora=2",
                "training.unit-samples=2",
                "training.optimizer-steps=1",
                "training.timesteps-per-image=1",
                "groups.scored-min=2",
                "evaluation.every-steps=0",
                "evaluation.solver-steps=2",
                "checkpoints.every-steps=1",
                "limits.tensor-bytes-max=256MiB",
                "workers.rollout-devices=1",
                "workers.trainer-devices=1"));
        all.addAll(List.of(overrides));
        return LocalRun.start(Recipes.load("flux-kontext", all), run, RunEnvironment.Alone::with, new PrintWriter(out));
    }

    private static RunDigests digests(Path run) throws Exception {
        try (OffHeapTensorStore store = new OffHeapTensorStore("test", 1L << 28)) {
            return RunDigests.of(
                    store,
                    CheckpointWriter.in(run).loadNewest(store).orElseThrow().state());
        }
    }

    private Path dataset() throws IOException {
        Path dataset = directory.resolve("dataset");
        if (!Files.exists(dataset)) {
            EditTasks tasks = new EditTasks(64, 3, TaskMix.all());
            try (DatasetWriter writer = new DatasetWriter(dataset, Split.TRAIN, false)) {
                for (int i = 0; i < 4; i++) {
                    EditTask task = tasks.render(Split.TRAIN, i);
                    writer.row(DatasetRow.of(
                            task.instruction(), writer.image("row-" + i, task.source()), task.requirement()));
                }
                writer.finish();
            }
        }
        return dataset;
    }
}
