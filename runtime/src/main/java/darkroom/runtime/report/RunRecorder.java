package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.config.RunSettings;
import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes the events of a run into its directory: metrics, decisions, evaluations, contact sheets.
 *
 * <ul>
 *   <li><b>RR-1</b> Lines of a step are written when the step is committed, and are on the disk when the event has been
 *       handled.
 *   <li><b>RR-2</b> A resumed run leaves the same files as the undisturbed run, except for times.
 *   <li><b>RR-3</b> A missing score is {@code null} in every file (promise P-3).
 *   <li><b>RR-4</b> Contact sheets are bounded in number and size (promise P-9).
 * </ul>
 */
public final class RunRecorder implements RunListener, AutoCloseable {
    /** Maximum number of steps of a run that have contact sheets. */
    static final int SHEET_STEPS_MAX = 10;

    /** Groups of such a step that have a sheet: the first ones and the first that was not kept. */
    static final int SHEETS_PER_STEP = 4;

    /** Maximum number of edits in the row of a group. */
    static final int SHEET_EDITS_MAX = 16;

    /** Rows of a held-out sheet, spread over the task types. */
    static final int HELD_OUT_ROWS = 24;

    /** Maximum number of edits before, and of edits after, in the row of a held-out sheet. */
    static final int HELD_OUT_EDITS = 4;

    private final RunDirectory directory;
    private final RunSettings settings;
    private final Evaluator evaluator;
    private final HeldOutSheets heldOut;
    private final SheetPainter painter;
    private final JsonLines<StepMetrics> metrics;
    private final JsonLines<GroupDecision> decisions;
    private final JsonLines<EvaluationResult> evaluations;
    private final JsonLines<ContactSheet> sheets;

    private final List<GroupDecision> compared = new ArrayList<>();
    private final List<Double> environmentTruths = new ArrayList<>();
    private final List<SheetPainter.Painted> painted = new ArrayList<>();
    private List<SheetPainter.Painted> unwritten = List.of();

    /**
     * Records a run from its first step. Content that an earlier run left in the files is cut.
     *
     * @param directory created if it does not exist
     * @param rows returns the row of an open prompt's id
     */
    RunRecorder(Path directory, RunSettings settings, Function<String, Row> rows, Evaluator evaluator) {
        this(directory, settings, rows, evaluator, 0);
    }

    /**
     * Resumes recording. Lines of later steps, which a crash left behind, are cut, as are final measurements; the
     * summary is deleted, since a run in progress has none.
     *
     * @param step steps committed in the state from which the run resumes
     */
    public RunRecorder(
            Path directory, RunSettings settings, Function<String, Row> rows, Evaluator evaluator, int step) {
        this.directory = new RunDirectory(directory);
        this.settings = settings;
        this.evaluator = evaluator;
        this.painter = new SheetPainter(rows, evaluator);
        this.heldOut = new HeldOutSheets(this.directory, painter);
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw RunDirectory.failed("create", directory, e);
        }
        delete(this.directory.summary());
        metrics = JsonLines.open(this.directory.metrics(), StepMetrics.class, line -> line.step() < step);
        decisions = JsonLines.open(this.directory.decisions(), GroupDecision.class, line -> line.step() < step);
        evaluations = JsonLines.open(this.directory.evaluations(), EvaluationResult.class, line -> stays(line, step));
        sheets = JsonLines.open(this.directory.sheets(), ContactSheet.class, sheet -> stays(sheet, step));
    }

    private static boolean stays(EvaluationResult line, int step) {
        return step > 0
                && (Evaluations.isValidation(line.name())
                        ? line.version() <= step
                        : !line.name().equals(Evaluations.HELD_OUT_AFTER));
    }

    private boolean stays(ContactSheet sheet, int step) {
        boolean stays =
                switch (sheet.kind()) {
                    case TRAINING -> sheet.step() < step && hasSheets(sheet.step());
                    case BEFORE -> step > 0;
                    case COMPARISON -> false;
                };
        if (!stays) {
            delete(directory.picture(sheet.file()));
        }
        return stays;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw RunDirectory.failed("delete", file, e);
        }
    }

    /** Whether a step has contact sheets (RR-4). */
    private boolean hasSheets(int step) {
        return step % Math.max(1, Math.ceilDiv(settings.steps(), SHEET_STEPS_MAX - 1)) == 0;
    }

    @Override
    public void heard(RunEvent event) {
        switch (event) {
            case RunEvent.GroupCompared group -> onCompared(group);
            case RunEvent.StepCommitted committed -> onCommitted(committed);
            case RunEvent.Evaluated evaluated -> onEvaluated(evaluated);
            case RunEvent.Ended _ -> write(unwritten);
            case RunEvent.GroupFinished _ -> {}
            case WorkQueueEvent _, NodeEvent _, RunEvent.EventsDropped _ -> {}
        }
    }

    private void onCompared(RunEvent.GroupCompared group) {
        if (!compared.isEmpty() && compared.getFirst().step() != group.step()) {
            forget();
        }
        GroupDecision decision = GroupDecision.of(group);
        compared.add(decision);
        if (group.ending() instanceof GroupOutcome.Finished ended) {
            List<Measurement.Edit> edits = evaluator.measure(ended);
            edits.stream()
                    .map(Measurement.Edit::groundTruth)
                    .flatMapToDouble(OptionalDouble::stream)
                    .forEach(environmentTruths::add);
            if (worthASheet(decision)) {
                painted.add(painter.group(decision, ended, edits));
            }
        }
    }

    private boolean worthASheet(GroupDecision decision) {
        boolean allKeptSoFar = painted.stream()
                .noneMatch(sheet -> sheet.sheet().rows().getFirst().decision() != LedgerEvent.Fate.KEPT);
        return painted.size() < SHEETS_PER_STEP - 1
                || (painted.size() < SHEETS_PER_STEP && allKeptSoFar && decision.decision() != LedgerEvent.Fate.KEPT);
    }

    private void onCommitted(RunEvent.StepCommitted committed) {
        compared.forEach(decisions::append);
        metrics.append(StepMetrics.of(
                committed,
                environmentTruths.stream().mapToDouble(Double::doubleValue).average()));
        unwritten = List.copyOf(painted);
        if (hasSheets(committed.step())) {
            write(unwritten);
        }
        forget();
        decisions.force();
        metrics.force(); // RR-1
    }

    private void onEvaluated(RunEvent.Evaluated evaluated) {
        evaluations.append(EvaluationResult.of(evaluated, evaluator.measure(evaluated)));
        evaluations.force();
        List<GroupOutcome.Finished> generated = evaluated.endings().stream()
                .filter(GroupOutcome.Finished.class::isInstance)
                .map(GroupOutcome.Finished.class::cast)
                .toList();
        int step = Math.toIntExact(evaluated.request().version().value());
        SheetPainter.@Nullable Painted sheet =
                switch (evaluated.request().name()) {
                    case Evaluations.HELD_OUT_BEFORE -> heldOut.before(step, generated);
                    case Evaluations.HELD_OUT_AFTER -> heldOut.comparison(step, generated);
                    default -> null;
                };
        if (sheet != null) {
            write(List.of(sheet));
        }
    }

    private void write(List<SheetPainter.Painted> all) {
        sheets.requireThere(); // writing a picture creates its directory
        for (SheetPainter.Painted one : all) {
            RunDirectory.write(
                    directory.picture(one.sheet().file()), one.picture().png());
            sheets.append(one.sheet());
        }
        sheets.force();
        unwritten = List.of();
    }

    private void forget() {
        compared.clear();
        environmentTruths.clear();
        painted.clear();
    }

    /**
     * Checks that the recorded files still exist.
     *
     * @throws java.io.UncheckedIOException naming the file that is missing
     */
    public void requireThere() {
        files().forEach(JsonLines::requireThere);
    }

    private List<JsonLines<?>> files() {
        return List.of(metrics, decisions, evaluations, sheets);
    }

    @Override
    public void close() {
        files().forEach(JsonLines::close);
    }
}
