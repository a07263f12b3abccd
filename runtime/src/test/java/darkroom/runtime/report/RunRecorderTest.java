package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecorderTest {
    private static final int STEPS = 7;

    @TempDir
    Path temporary = Path.of("unset");

    /** P-2. */
    @Test
    void in_every_line_of_the_metrics_each_image_has_one_fate() throws IOException {
        List<JsonNode> lines = lines(recorded("run").metrics());

        assertThat(lines).hasSize(STEPS);
        for (int step = 0; step < STEPS; step++) {
            JsonNode line = lines.get(step);
            JsonNode images = line.get("images");
            JsonNode groups = line.get("groups");
            assertThat(line.get("step").intValue()).isEqualTo(step);
            assertThat(images.get("issued").longValue())
                    .isEqualTo(RecordedRun.GROUPS * RecordedRun.SLOTS)
                    .isEqualTo(images.get("counted").longValue()
                            + images.get("dropped").longValue()
                            + images.get("unscored").longValue()
                            + images.get("abandoned").longValue());
            assertThat(groups.get("kept").intValue()
                            + groups.get("dropped").intValue()
                            + groups.get("abandoned").intValue())
                    .isEqualTo(RecordedRun.GROUPS);
            assertThat(line.get("spread")).hasSize(RecordedRun.GROUPS - 1);
            assertThat(line.get("timings").get("learning").doubleValue()).isEqualTo(.95);
            assertThat(line.get("imagesPerSecond").doubleValue())
                    .isCloseTo(30 / line.get("timings").get("sinceLastCommit").doubleValue(), within(1e-9));
        }
    }

    /** P-2: the two files agree. */
    @Test
    void the_decisions_of_a_step_add_up_to_its_metrics() {
        RunDirectory run = recorded("run");
        List<GroupDecision> decisions = JsonLines.read(run.decisions(), GroupDecision.class);

        assertThat(decisions).hasSize(STEPS * RecordedRun.GROUPS);
        for (StepMetrics step : JsonLines.read(run.metrics(), StepMetrics.class)) {
            List<GroupDecision> own = decisions.stream()
                    .filter(decision -> decision.step() == step.step())
                    .toList();
            assertThat(own).extracting(GroupDecision::group).containsExactly(0, 1, 2, 3, 4, 5);
            assertThat(scored(own, LedgerEvent.Fate.KEPT))
                    .isEqualTo(step.images().counted());
            assertThat(scored(own, LedgerEvent.Fate.DROPPED))
                    .isEqualTo(step.images().dropped());
            assertThat(own.stream()
                            .mapToLong(decision -> decision.unscored().size())
                            .sum())
                    .isEqualTo(step.images().unscored());
            assertThat(own.getLast().lost()).isEqualTo("its coordinator died; the log says why");
        }
    }

    /** P-3. */
    @Test
    void what_has_no_score_is_null_in_every_file() throws IOException {
        RunDirectory run = recorded("run");

        JsonNode few = lines(run.decisions()).get(2);
        assertThat(few.get("decision").textValue()).isEqualTo("abandoned");
        assertThat(few.get("rewards")).hasSize(RecordedRun.SLOTS);
        assertThat(few.get("rewards").get(1).isNumber()).isTrue();
        assertThat(few.get("rewards").get(2).isNull()).isTrue();
        assertThat(few.get("unscored").get(0).get("slot").intValue()).isEqualTo(2);
        assertThat(few.get("unscored").get(0).get("reason").textValue()).contains("I'd rather not");

        JsonNode lost = lines(run.decisions()).get(5);
        assertThat(lost.get("mean").isNull()).isTrue();
        assertThat(lost.get("std").isNull()).isTrue();
        assertThat(lost.get("rewards")).allMatch(JsonNode::isNull);

        assertThat(lines(run.metrics())
                        .getFirst()
                        .get("passes")
                        .get(1)
                        .get("policyLoss")
                        .isNull())
                .as("a loss that is no number")
                .isTrue();

        JsonNode unscored = lines(run.evaluations()).getFirst().get("edits").get(3 * 4 + 2);
        assertThat(unscored.get("reward").isNull()).isTrue();
        assertThat(unscored.get("groundTruth").isNumber()).isTrue();
    }

    @Test
    void an_evaluation_has_its_means_overall_and_by_task_and_every_edit() {
        List<EvaluationResult> evaluations = JsonLines.read(recorded("run").evaluations(), EvaluationResult.class);

        assertThat(evaluations)
                .extracting(EvaluationResult::name)
                .containsExactly(
                        Evaluations.HELD_OUT_BEFORE,
                        Evaluations.CLEAN_REFERENCE,
                        "run-validation-2",
                        "run-validation-4",
                        "run-validation-6",
                        Evaluations.HELD_OUT_AFTER);
        EvaluationResult after = evaluations.getLast();
        assertThat(after.edits()).hasSize(RecordedRun.HELD_OUT * 4);
        assertThat(after.overall()).isEqualTo(after.measurement().overall());
        assertThat(after.perTask()).isEqualTo(after.measurement().perTask());
        assertThat(after.overall().unscored()).isEqualTo(1);
    }

    /** P-7, RR-2. */
    @Test
    void a_resumed_run_leaves_the_files_of_the_undisturbed_one() throws IOException {
        Map<String, String> undisturbed = files(recorded("undisturbed").path());

        Path crashed = temporary.resolve("crashed");
        try (RecordedRun run = new RecordedRun(STEPS)) {
            try (RunRecorder recorder = run.recorder(crashed)) {
                begin(run, recorder);
                steps(run, recorder, 0, 5);
                run.step(recorder, 5, false);
            }
            for (Path file : List.of(crashed.resolve("metrics.jsonl"), crashed.resolve("evaluations.jsonl"))) {
                Files.writeString(file, "{\"step\": 5, \"rew", StandardOpenOption.APPEND);
            }
            try (RunRecorder recorder = run.recorder(crashed, 3)) {
                steps(run, recorder, 3, STEPS);
                end(run, recorder);
            }
        }
        assertThat(files(crashed)).isEqualTo(undisturbed);
    }

    /** P-7: the last step's sheets of a run that was stopped are not sheets of the resumed run. */
    @Test
    void a_run_that_was_stopped_and_goes_on_leaves_the_files_of_the_undisturbed_one() throws IOException {
        Map<String, String> undisturbed = files(recorded("undisturbed").path());

        Path stopped = temporary.resolve("stopped");
        try (RecordedRun run = new RecordedRun(STEPS)) {
            try (RunRecorder recorder = run.recorder(stopped)) {
                begin(run, recorder);
                steps(run, recorder, 0, 4);
                run.end(recorder, new RunEvent.End.ByRequest());
                run.heldOut(recorder, Evaluations.HELD_OUT_AFTER, .5);
            }
            RunDirectory.write(stopped.resolve("summary.json"), "of the run that was stopped");
            try (RunRecorder recorder = run.recorder(stopped, 4)) {
                steps(run, recorder, 4, STEPS);
                end(run, recorder);
            }
        }
        assertThat(files(stopped)).isEqualTo(undisturbed);
    }

    @Test
    void a_run_from_its_first_step_finds_nothing_of_an_earlier_one() throws IOException {
        Map<String, String> undisturbed = files(recorded("run").path());

        assertThat(files(recorded("run").path())).isEqualTo(undisturbed);
    }

    @Test
    void a_sheet_gives_back_the_images_it_was_made_from() {
        RunDirectory run = recorded("run");
        ContactSheet sheet = JsonLines.read(run.sheets(), ContactSheet.class).stream()
                .filter(one -> one.kind() == ContactSheet.Kind.TRAINING)
                .findFirst()
                .orElseThrow();

        assertThat(sheet.magnification()).isEqualTo(4);
        assertThat(sheet.rows()).hasSize(1);
        List<RgbImage> images = new ArrayList<>(sheet.images(run).getFirst());
        List<ContactSheet.Cell> cells = sheet.rows().getFirst().cells();
        assertThat(cells.getFirst().role()).isEqualTo(ContactSheet.Role.SOURCE);
        assertThat(cells.getLast().role()).isEqualTo(ContactSheet.Role.TARGET);
        assertThat(cells.stream().filter(cell -> cell.role() == ContactSheet.Role.EDIT))
                .hasSize(RecordedRun.SLOTS);
        for (int c = 0; c < cells.size(); c++) {
            if (cells.get(c).role() == ContactSheet.Role.EDIT) {
                double truth = GroundTruth.measure(images.getFirst(), images.get(c), images.getLast())
                        .score();
                assertThat(cells.get(c).groundTruth()).isEqualTo(OptionalDouble.of(truth));
            }
        }
    }

    @Test
    void the_held_out_sheet_has_every_task_type_with_edits_before_and_after() {
        RunDirectory run = recorded("run");
        ContactSheet sheet = JsonLines.read(run.sheets(), ContactSheet.class).getLast();

        assertThat(sheet.kind()).isEqualTo(ContactSheet.Kind.COMPARISON);
        assertThat(sheet.rows()).hasSize(RecordedRun.HELD_OUT);
        for (ContactSheet.Row row : sheet.rows()) {
            assertThat(row.cells())
                    .extracting(ContactSheet.Cell::role)
                    .startsWith(ContactSheet.Role.SOURCE)
                    .endsWith(
                            ContactSheet.Role.BEFORE,
                            ContactSheet.Role.AFTER,
                            ContactSheet.Role.AFTER,
                            ContactSheet.Role.AFTER,
                            ContactSheet.Role.AFTER,
                            ContactSheet.Role.TARGET);
        }
        assertThat(sheet.images(run)).hasSize(RecordedRun.HELD_OUT);
    }

    /** P-9, RR-4. */
    @Test
    void a_long_run_has_no_more_sheets_than_a_short_one() {
        RunDirectory run = new RunDirectory(temporary.resolve("long"));
        try (RecordedRun events = new RecordedRun(47);
                RunRecorder recorder = events.recorder(run.path())) {
            for (int step = 0; step < 47; step++) {
                events.step(recorder, step, true);
            }
            events.end(recorder, new RunEvent.End.Completed());
        }
        List<Integer> steps = JsonLines.read(run.sheets(), ContactSheet.class).stream()
                .map(ContactSheet::step)
                .distinct()
                .toList();
        assertThat(steps).startsWith(0).endsWith(46).hasSizeLessThanOrEqualTo(RunRecorder.SHEET_STEPS_MAX);
        assertThat(JsonLines.read(run.sheets(), ContactSheet.class))
                .hasSizeLessThanOrEqualTo(RunRecorder.SHEET_STEPS_MAX * RunRecorder.SHEETS_PER_STEP);
    }

    @Test
    void a_disk_that_fails_is_named_with_its_file() throws IOException {
        Path blocked = temporary.resolve("blocked");
        Files.createDirectories(blocked.resolve("decisions.jsonl"));
        try (RecordedRun run = new RecordedRun(STEPS)) {
            assertThatThrownBy(() -> run.recorder(blocked))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("decisions.jsonl");
        }
    }

    @Test
    void a_line_that_is_none_is_named_with_file_and_number() throws IOException {
        RunDirectory run = recorded("run");
        List<String> lines = new ArrayList<>(Files.readAllLines(run.metrics()));
        lines.set(2, lines.get(2).replace("\"trainingSamples\":", "\"trainingSamples\":null,\"was\":"));
        Files.write(run.metrics(), lines);

        assertThatThrownBy(() -> JsonLines.read(run.metrics(), StepMetrics.class))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("metrics.jsonl line 3");
    }

    @Test
    void a_recorder_keeps_no_tensor() {
        try (RecordedRun run = new RecordedRun(STEPS);
                RunRecorder recorder = run.recorder(temporary.resolve("run"))) {
            long before = run.store().bytesHeld();
            begin(run, recorder);
            steps(run, recorder, 0, STEPS);
            end(run, recorder);
            assertThat(run.store().bytesHeld()).isEqualTo(before);
        }
    }

    private static long scored(List<GroupDecision> decisions, LedgerEvent.Fate fate) {
        return decisions.stream()
                .filter(decision -> decision.decision() == fate)
                .flatMap(decision -> decision.rewards().stream())
                .filter(OptionalDouble::isPresent)
                .count();
    }

    private RunDirectory recorded(String name) {
        Path directory = temporary.resolve(name);
        try (RecordedRun run = new RecordedRun(STEPS);
                RunRecorder recorder = run.recorder(directory)) {
            begin(run, recorder);
            steps(run, recorder, 0, STEPS);
            end(run, recorder);
        }
        return new RunDirectory(directory);
    }

    private static void begin(RecordedRun run, RunRecorder recorder) {
        run.heldOut(recorder, Evaluations.HELD_OUT_BEFORE, .3);
        run.heldOut(recorder, Evaluations.CLEAN_REFERENCE, .6);
    }

    private static void steps(RecordedRun run, RunRecorder recorder, int from, int to) {
        for (int step = from; step < to; step++) {
            run.step(recorder, step, true);
            if ((step + 1) % 2 == 0) {
                run.validation(recorder, step + 1);
            }
        }
    }

    private static void end(RecordedRun run, RunRecorder recorder) {
        run.end(recorder, new RunEvent.End.Completed());
        run.heldOut(recorder, Evaluations.HELD_OUT_AFTER, .7);
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            lines.add(JsonLines.JSON.readTree(line));
        }
        return lines;
    }

    private static Map<String, String> files(Path directory) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                byte[] content = Files.readAllBytes(file);
                files.put(
                        directory.relativize(file).toString(),
                        file.toString().endsWith(".png") ? HexFormat.of().formatHex(content) : Files.readString(file));
            }
        }
        return files;
    }
}
