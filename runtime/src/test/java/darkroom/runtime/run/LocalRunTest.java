package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.ledger.RunDigests;
import darkroom.config.InputSettings;
import darkroom.config.Precision;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.SettingsException;
import darkroom.edittasks.datasets.DatasetRow;
import darkroom.edittasks.datasets.DatasetWriter;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.PrecisionMeasurement;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.rewardactors.simulation.SimulatedScorer;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.PrecisionChoice;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.chaos.RunAudit;
import darkroom.runtime.cluster.CommandProcess;
import darkroom.runtime.report.ScorerRecord;
import darkroom.runtime.report.Summary;
import darkroom.tensors.OffHeapTensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs of the embedded model, small: real devices, the real judge behind HTTP. */
final class LocalRunTest {
    private static final List<String> SMALL = List.of(
            "rollout.groups-per-step=2",
            "rollout.images-per-group=4",
            "rollout.solver-steps=3",
            "training.unit-samples=4",
            "training.optimizer-steps=2",
            "evaluation.tasks=3",
            "evaluation.images-per-task=2",
            "evaluation.validation-tasks=2",
            "evaluation.every-steps=2",
            "evaluation.solver-steps=2",
            "checkpoints.every-steps=2",
            "workers.rollout-devices=1",
            "workers.trainer-devices=1");

    @TempDir
    Path directory = Path.of("unset");

    private final StringWriter out = new StringWriter();

    /** P-7, and P-1 for real devices: the resumed run has other numbers of workers. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void a_run_resumed_at_another_worker_count_ends_as_if_it_had_never_stopped(int staleness) throws Exception {
        Path straight = directory.resolve("straight");
        Path stopped = directory.resolve("stopped");
        assertThat(start(straight, "steps=5", "rollout.staleness=" + staleness)).isEqualTo(ExitCode.OK);
        assertThat(start(stopped, "steps=3", "rollout.staleness=" + staleness)).isEqualTo(ExitCode.OK);
        assertThat(LocalRun.resume(
                        stopped,
                        List.of("steps=5", "workers.rollout-devices=2", "workers.trainer-devices=3"),
                        new PrintWriter(out)))
                .isEqualTo(ExitCode.OK);

        assertThat(digests(stopped)).isEqualTo(digests(straight));
    }

    @Test
    void a_dataset_of_the_users_own_drives_the_same_run() throws Exception {
        Path dataset = dataset(5);
        Path run = directory.resolve("run");

        assertThat(start(run, "steps=1", "data.source=\"" + dataset + "\"")).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("evaluation.patience=2 has no effect");

        Summary summary = Summary.read(run);
        assertThat(summary.counts().images().issued()).isEqualTo(8);
        assertThat(summary.groundTruth().start()).as("no exact target exists").isEmpty();
        Files.writeString(dataset.resolve("train_metadata.jsonl"), "{\"prompt\": 3}\n");
        assertThatThrownBy(() -> start(directory.resolve("other"), "steps=1", "data.source=\"" + dataset + "\""))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("train_metadata.jsonl:1");
        assertThat(directory.resolve("other")).as("nothing was started").doesNotExist();
    }

    /** F12. */
    @Test
    void a_run_whose_data_or_base_do_not_fit_its_settings_is_refused_before_anything_is_written() throws Exception {
        String one = "data.source=\"" + dataset(1) + "\"";
        Path base = directory.resolve("own.safetensors");
        DitWeights.base("mixed").write(base);
        unstarted(
                List.of(one, "evaluation.patience=2"),
                "rollout.groups-per-step=2, but data.source=",
                "has 1 training rows");
        unstarted(
                List.of(one, "rollout.groups-per-step=1", "groups.ban-prompts=true"),
                "groups.ban-prompts=true",
                "the first ban ends the run");
        unstarted(
                List.of(
                        "policy.base=\"" + base + "\"",
                        "policy.resolution=64",
                        "scoring.endpoints=[\"http://localhost:9\"]"),
                "policy.resolution=64, but policy.base=" + base + " generates 32 pixels");
        unstarted(List.of("data.tasks=[addd]"), "task type 'addd' is not known");
        unstarted(List.of("policy.base=nowhere"), "policy.base=nowhere");
    }

    private void unstarted(List<String> overrides, String... words) {
        Path run = directory.resolve("unstarted");
        assertThatThrownBy(() -> start(run, overrides.toArray(String[]::new)))
                .isInstanceOfSatisfying(CommandFailedException.class, failed -> assertThat(failed.exitCode())
                        .isEqualTo(ExitCode.USAGE))
                .message()
                .contains(words);
        assertThat(run).doesNotExist();
    }

    /** P-7: inputs of a run are identified by content. */
    @Test
    void a_run_whose_inputs_have_changed_is_not_resumed_and_says_what_has_changed() throws Exception {
        Path dataset = dataset(5);
        Path base = directory.resolve("own.safetensors");
        DitWeights.base("mixed").write(base);
        Path run = directory.resolve("run");
        String set = "data.source=\"" + dataset + "\"";
        assertThat(start(run, "steps=1", set, "policy.base=\"" + base + "\"")).isEqualTo(ExitCode.OK);
        Path rows = dataset.resolve("train_metadata.jsonl");
        Path picture = dataset.resolve("images/row-2.png");
        String before = Files.readString(rows);
        byte[] pixels = Files.readAllBytes(picture);

        Files.write(picture, Files.readAllBytes(dataset.resolve("images/row-1.png")));
        refused(
                run,
                "train_metadata.jsonl:3: images/row-2.png has SHA-256 ",
                "and had ",
                "Restore it, or start a new run");
        Files.write(picture, pixels);

        Files.writeString(rows, before.replaceFirst("\"prompt\": \"", "\"prompt\": \"now "));
        refused(run, "train_metadata.jsonl:1: the row has other texts");
        Files.writeString(rows, before + "{\"prompt\": \"more\", \"image\": \"images/row-0.png\"}\n");
        refused(run, "train_metadata.jsonl:6: the row train-", "is new");
        Files.writeString(rows, before.lines().skip(1).collect(Collectors.joining("\n")));
        refused(run, "is gone");
        Files.writeString(rows, before.lines().sorted(Comparator.reverseOrder()).collect(Collectors.joining("\n")));
        refused(run, "another order");
        Files.writeString(rows, before);

        Files.copy(rows, dataset.resolve("test_metadata.jsonl"));
        refused(run, "held-out rows");
        Files.delete(dataset.resolve("test_metadata.jsonl"));

        byte[] weights = Files.readAllBytes(base);
        weights[weights.length - 1] ^= 1;
        Files.write(base, weights);
        refused(run, "policy.base=" + base + " has SHA-256 ");
        assertThatThrownBy(() -> EditingPolicy.load(run.toString(), List.of()))
                .hasMessageContaining("policy.base=" + base + " on this machine is not that of the run");
        weights[weights.length - 1] ^= 1;
        Files.write(base, weights);

        Files.delete(run.resolve("inputs.jsonl"));
        Files.setLastModifiedTime(picture, FileTime.fromMillis(0));
        assertThat(LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .as("restored")
                .isEqualTo(ExitCode.OK);
        String resumed = Files.readString(run.resolve("settings.conf"));
        assertThatThrownBy(() -> LocalRun.resume(run, List.of("steps=1"), new PrintWriter(out)))
                .as("U10")
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("has 2 steps already, more than steps=1");
        assertThat(run.resolve("settings.conf")).hasContent(resumed);
        Path moved = Files.move(dataset, directory.resolve("moved"));
        assertThat(LocalRun.resume(run, List.of("steps=2", "data.source=\"" + moved + "\""), new PrintWriter(out)))
                .as("the same content elsewhere")
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void a_run_that_records_no_digests_of_what_it_reads_is_not_resumed() throws Exception {
        Path run = Files.createDirectories(directory.resolve("run"));
        Files.writeString(run.resolve("settings.conf"), Recipes.render(Recipes.load("embedded-demo", SMALL)));
        refused(run, "does not record the digests");
    }

    @Test
    void a_run_that_is_started_again_from_its_settings_reads_what_it_read() throws Exception {
        RunSettings settings = Recipes.load("embedded-demo", SMALL);
        RunSettings other = Recipes.recorded(settings, new InputSettings("0".repeat(64), "", "", "", "1".repeat(64)));
        assertThatThrownBy(() -> LocalRun.start(other, directory.resolve("again"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("data.source=embedded (train rows) has SHA-256 ")
                .hasMessageContaining("scoring.judge=judge has SHA-256 ")
                .hasMessageContaining("and had " + "0".repeat(64));
        assertThat(directory.resolve("again")).doesNotExist();
    }

    private void refused(Path run, String... words) throws Exception {
        Map<Path, String> before = contents(run);
        assertThatThrownBy(() -> LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .isInstanceOfSatisfying(CommandFailedException.class, failed -> assertThat(failed.exitCode())
                        .isEqualTo(ExitCode.USAGE))
                .message()
                .contains(words);
        assertThat(contents(run)).as("nothing is written").isEqualTo(before);
    }

    private static Map<Path, String> contents(Path run) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.collect(Collectors.toMap(file -> file, file -> {
                try {
                    return Files.getLastModifiedTime(file) + " " + (Files.isRegularFile(file) ? Files.size(file) : 0);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }));
        }
    }

    private Path dataset(int rows) throws IOException {
        Path dataset = directory.resolve("dataset");
        EditTasks tasks = new EditTasks(64, 3, TaskMix.all());
        try (DatasetWriter writer = new DatasetWriter(dataset, Split.TRAIN, false)) {
            for (int i = 0; i < rows; i++) {
                EditTask task = tasks.render(Split.TRAIN, i);
                writer.row(
                        DatasetRow.of(task.instruction(), writer.image("row-" + i, task.source()), task.requirement()));
            }
            writer.finish();
        }
        return dataset;
    }

    @Test
    void how_much_an_outside_scorer_varies_stands_in_the_report_beside_the_threshold_of_the_filter() throws Exception {
        Path run = directory.resolve("run");
        try (SimulatedScorer scorer = SimulatedScorer.versioned()) {
            assertThat(start(run, "steps=2", "scoring.endpoints=[\"" + scorer.url() + "\"]"))
                    .isEqualTo(ExitCode.OK);
            NoiseFloor floor =
                    JsonLines.read(run.resolve("noise.jsonl"), NoiseFloor.class).getFirst();
            assertThat(floor.scorer()).isEqualTo(scorer.url().getAuthority());
            assertThat(floor.count()).isEqualTo(16);
            assertThat(floor.std()).isZero();
            assertThat(floor.spreadThreshold()).isEqualTo(.05);
            assertThat(Files.readString(run.resolve("report.html")))
                    .contains("Noise of the scorers", scorer.url().getAuthority());
        }
    }

    /** F10, P-7: a resumed run stops where the uninterrupted one does. */
    @Test
    void a_run_whose_scorer_ignores_the_pictures_stops_by_rule_and_so_does_a_resumed_one() throws Exception {
        Path run = directory.resolve("run");
        try (SimulatedScorer scorer = SimulatedScorer.plain(_ -> Duration.ZERO)) {
            scorer.ignorePictures(true);
            String endpoints = "scoring.endpoints=[\"" + scorer.url() + "\"]";
            assertThat(start(run, "steps=1", endpoints, "scoring.flat-groups-max=3", "evaluation.every-steps=0"))
                    .isEqualTo(ExitCode.OK);
            LocalRun.resume(run, List.of("steps=6"), new PrintWriter(out));
        }
        Summary summary = Summary.read(run);
        assertThat(summary.end().kind()).isEqualTo(Summary.End.Kind.RULE);
        assertThat(summary.steps()).isEqualTo(2);
        assertThat(summary.end().reason())
                .contains("the last 4 scored groups have spread 0", "scoring.flat-groups-max=3", "simulated [prompt ");
        assertThat(JsonLines.read(run.resolve("scorers.jsonl"), ScorerRecord.Line.class))
                .hasSize(1);
    }

    @Test
    void a_run_does_not_write_into_a_directory_that_has_something_in_it() throws Exception {
        Files.writeString(directory.resolve("thesis.txt"), "precious");
        assertThatThrownBy(() -> start(directory, "steps=1"))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("is not empty")
                .hasMessageContaining("--out");
    }

    @Test
    void a_run_is_not_resumed_with_settings_that_change_its_result() throws Exception {
        start(directory.resolve("run"), "steps=1");
        assertThatThrownBy(() ->
                        LocalRun.resume(directory.resolve("run"), List.of("training.beta=0.5"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("training.beta=0.5");
    }

    /** P-1, P-7: the decision of {@code auto} is recorded, and applies from then on. */
    @Test
    void a_run_in_precision_auto_records_what_it_came_to_and_why() throws Exception {
        Path run = directory.resolve("run");
        Precision measured =
                PrecisionMeasurement.ofThisProcessor(System::nanoTime).faster();
        Precision other = measured == Precision.F32 ? Precision.BF16 : Precision.F32;

        assertThat(start(run, "steps=1", "training.precision=" + Precisions.label(other)))
                .isEqualTo(ExitCode.OK);

        RunSettings recorded = LocalRun.settingsOf(run, List.of());
        assertThat(recorded.rollout().precision()).isEqualTo(measured);
        assertThat(recorded.scoring().judgePrecision()).isEqualTo(measured);
        assertThat(recorded.training().precision()).as("it was set").isEqualTo(other);
        PrecisionChoice why = PrecisionChoice.read(run).orElseThrow();
        assertThat(why.rollout()).isEqualTo(new PrecisionChoice.Chosen("auto", Precisions.label(measured)));
        assertThat(why.training())
                .isEqualTo(new PrecisionChoice.Chosen(Precisions.label(other), Precisions.label(other)));
        assertThat(why.measured()).isNotNull();
        assertThat(Files.readString(run.resolve("report.html"))).contains(why.describe());
        assertThat(out.toString()).contains(why.describe());
    }

    /** P-7: a measurement on another machine, or at another time, may differ. */
    @Test
    void a_resumed_run_keeps_the_precision_that_it_began_with() throws Exception {
        Precision measured =
                PrecisionMeasurement.ofThisProcessor(System::nanoTime).faster();
        String other = Precisions.label(measured == Precision.F32 ? Precision.BF16 : Precision.F32);
        Path straight = directory.resolve("straight");
        Path resumed = directory.resolve("resumed");
        assertThat(start(straight, "steps=2", "rollout.precision=" + other)).isEqualTo(ExitCode.OK);
        assertThat(start(resumed, "steps=1", "rollout.precision=" + other)).isEqualTo(ExitCode.OK);

        assertThat(LocalRun.resume(resumed, List.of("steps=2", "rollout.precision=auto"), new PrintWriter(out)))
                .isEqualTo(ExitCode.OK);

        assertThat(digests(resumed)).isEqualTo(digests(straight));
        assertThatThrownBy(() -> LocalRun.resume(
                        resumed,
                        List.of("steps=3", "rollout.precision=" + Precisions.label(measured)),
                        new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("rollout.precision=");
    }

    @Test
    void what_is_no_run_cannot_be_resumed() {
        assertThatThrownBy(() -> LocalRun.resume(directory, List.of(), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("settings.conf");
    }

    @Test
    void a_model_that_is_not_installed_is_named() {
        RunSettings settings = Recipes.load("qwen-image-edit", List.of());
        assertThatThrownBy(() -> LocalRun.start(settings, directory.resolve("run"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("policy.model=qwen-image-edit")
                .hasMessageContaining("this build computes embedded, flux-kontext")
                .hasMessageContaining("scoring.endpoints=[]");
        assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void images_that_the_embedded_judge_does_not_know_are_not_trained_without_a_scorer() throws Exception {
        RunSettings settings = Recipes.load(
                "embedded-demo", List.of("policy.base=\"" + directory.resolve("mine") + "\"", "policy.resolution=64"));
        assertThatThrownBy(() -> LocalRun.start(settings, directory.resolve("run"), new PrintWriter(out)))
                .isInstanceOf(SettingsException.class)
                .hasMessageStartingWith("scoring.endpoints=[]")
                .hasMessageContaining("--scorer URL");
        assertThat(directory.resolve("run")).doesNotExist();
    }

    private static final String[] SHORT = {
        "evaluation.tasks=1",
        "evaluation.images-per-task=1",
        "evaluation.every-steps=0",
        "checkpoints.every-steps=1",
        "training.optimizer-steps=1"
    };

    private static String[] with(String... more) {
        return Stream.concat(Stream.of(SHORT), Stream.of(more)).toArray(String[]::new);
    }

    private void assertLedgerRefused(Path run, String... texts) throws Exception {
        String settings = Files.readString(run.resolve("settings.conf"));
        assertThatThrownBy(() -> LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("ledger.mv.db")
                .hasMessageContaining("--set ledger.store=none")
                .hasMessageContainingAll(texts);
        assertThat(Files.readString(run.resolve("settings.conf")))
                .as("nothing is written")
                .isEqualTo(settings);
    }

    /** A missing ledger is not treated as new: removed, emptied, another run's, damaged; also with a torn checkpoint. */
    @Test
    void a_run_whose_ledger_cannot_vouch_for_its_checkpoint_is_not_resumed_with_it() throws Exception {
        Path run = directory.resolve("run");
        Path other = directory.resolve("other");
        start(run, with("steps=1"));
        start(other, with("steps=1", "seed=9"));
        Path ledger = run.resolve("ledger.mv.db");
        byte[] whole = Files.readAllBytes(ledger);

        Files.delete(ledger);
        assertLedgerRefused(run, "step-000001", "no committed step");
        assertThat(ledger).as("no new one is made").doesNotExist();
        assertThatThrownBy(() -> RunAudit.of(run))
                .hasMessageContaining("has no ledger any more")
                .hasMessageContaining("ledger.mv.db");
        Files.createFile(ledger);
        assertLedgerRefused(run, "step-000001", "no committed step");
        Files.copy(other.resolve("ledger.mv.db"), ledger, StandardCopyOption.REPLACE_EXISTING);
        assertLedgerRefused(run, "not of one run");
        byte[] damaged = whole.clone();
        Arrays.fill(damaged, 0, 8192, (byte) 7);
        Files.write(ledger, damaged);
        assertThatThrownBy(() -> LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("damaged")
                .hasMessageContaining("--set ledger.store=none")
                .hasMessageNotContaining("recovery tool");
        Files.delete(ledger);
        for (Path checkpoint : CheckpointWriter.in(run).list()) {
            Files.delete(checkpoint.resolve("manifest.json"));
        }
        assertLedgerRefused(run, "no checkpoint is whole", "step 0");

        Files.write(ledger, whole);
        assertThat(LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .as("the right one is back: everything is computed again, and compared with it")
                .isEqualTo(ExitCode.OK);
        assertThat(RunAudit.of(run).findings()).isEmpty();
        Files.delete(ledger);
        assertThat(LocalRun.resume(run, List.of("steps=2", "ledger.store=none"), new PrintWriter(out)))
                .as("the other way out")
                .isEqualTo(ExitCode.OK);
        assertThat(LocalRun.resume(run, List.of("steps=3", "ledger.store=file"), new PrintWriter(out)))
                .as("a run that had none begins one wherever it is")
                .isEqualTo(ExitCode.OK);
        assertThat(RunAudit.of(run).findings()).isEmpty();
    }

    /** The end of a run does not depend on files that may be gone, and the state in memory is kept. */
    @Test
    void a_run_whose_directory_is_deleted_fails_and_keeps_its_last_state() throws Exception {
        Path run = directory.resolve("run");
        CompletableFuture<Throwable> end = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try {
                end.completeExceptionally(new AssertionError("it ended with " + start(run, with("steps=1000"))));
            } catch (Throwable failure) {
                end.complete(failure);
            }
        });
        CommandProcess.until(
                "a step is committed",
                Duration.ofSeconds(60),
                () -> Files.exists(run.resolve("metrics.jsonl"))
                        && !Files.readAllLines(run.resolve("metrics.jsonl")).isEmpty(),
                out::toString);
        Files.move(run, directory.resolve("moved"));
        assertThat(end.get(60, TimeUnit.SECONDS))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining(" is gone: it was deleted or ")
                .hasMessageContaining("--resume " + run + " --set ledger.store=none");
        int kept = Checkpoints.step(CheckpointWriter.in(run).list().getFirst()).orElseThrow();
        assertThat(kept).isPositive();
        assertThat(Summary.read(run).steps()).isEqualTo(kept);
        assertThat(LocalRun.resume(run, List.of("steps=" + (kept + 1), "ledger.store=none"), new PrintWriter(out)))
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void virtual_devices_train_nothing() {
        RunSettings settings = Recipes.load("embedded-demo", List.of("workers.device=virtual"));
        assertThatThrownBy(() -> LocalRun.start(settings, directory.resolve("run"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("workers.device=virtual")
                .hasMessageContaining("darkroom bench");
        assertThat(directory.resolve("run")).doesNotExist();
    }

    private ExitCode start(Path run, String... overrides) throws Exception {
        List<String> all = new ArrayList<>(SMALL);
        all.addAll(List.of(overrides));
        return LocalRun.start(Recipes.load("embedded-demo", all), run, new PrintWriter(out));
    }

    private static RunDigests digests(Path run) throws Exception {
        try (OffHeapTensorStore store = new OffHeapTensorStore("test", 1L << 28)) {
            return RunDigests.of(
                    store,
                    CheckpointWriter.in(run).loadNewest(store).orElseThrow().state());
        }
    }
}
