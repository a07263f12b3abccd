package darkroom.runtime;

import darkroom.actors.DeskEvent;
import darkroom.actors.GroupKeeper;
import darkroom.actors.LedgerEvent;
import darkroom.actors.NodeEvent;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.config.RunSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes what a run tells into its directory: metrics, verdicts, evaluations, contact sheets.
 *
 * <ul>
 *   <li><b>RR-1</b> Lines of a step are there when the step is committed, and are on the disk when the event was heard.
 *   <li><b>RR-2</b> A resumed run leaves the files that the undisturbed run would, times aside.
 *   <li><b>RR-3</b> What has no score is {@code null} in every file (promise P-3).
 *   <li><b>RR-4</b> Contact sheets are bounded in number and size (promise P-9).
 * </ul>
 */
final class RunRecorder implements RunListener, AutoCloseable {
    /** Steps of a run that have contact sheets, at most. */
    static final int SHEET_STEPS_MAX = 10;

    /** Groups of such a step that have one: the first ones and the first that was not kept. */
    static final int SHEETS_PER_STEP = 4;

    /** Edits in the row of a group, at most. */
    static final int SHEET_EDITS_MAX = 16;

    /** Rows of a held-out sheet, spread over the task types. */
    static final int HELD_OUT_ROWS = 24;

    /** Edits before, and edits after, in the row of a held-out sheet, at most. */
    static final int HELD_OUT_EDITS = 4;

    private final RunDirectory directory;
    private final RunSettings settings;
    private final Meter meter;
    private final HeldOutSheets heldOut;
    private final SheetPainter painter;
    private final JsonLines<StepMetrics> metrics;
    private final JsonLines<GroupVerdict> verdicts;
    private final JsonLines<EvaluationResult> evaluations;
    private final JsonLines<ContactSheet> sheets;

    private final List<GroupVerdict> compared = new ArrayList<>();
    private final List<Double> groundTruths = new ArrayList<>();
    private final List<SheetPainter.Painted> painted = new ArrayList<>();
    private List<SheetPainter.Painted> unwritten = List.of();

    /**
     * Records a run from its first step. What an earlier run left in the files is cut.
     *
     * @param directory created if it is not there
     * @param rows the row of an open prompt's id
     */
    RunRecorder(Path directory, RunSettings settings, Function<String, Row> rows, Meter meter) {
        this(directory, settings, rows, meter, 0);
    }

    /**
     * Goes on recording. Lines of later steps, which a crash left behind, are cut, as is what was measured at the end; the
     * summary is deleted, since a run that goes on has none.
     *
     * @param step steps committed in the state that the run goes on from
     */
    RunRecorder(Path directory, RunSettings settings, Function<String, Row> rows, Meter meter, int step) {
        this.directory = new RunDirectory(directory);
        this.settings = settings;
        this.meter = meter;
        this.painter = new SheetPainter(rows, meter);
        this.heldOut = new HeldOutSheets(this.directory, painter);
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw RunDirectory.failed("create", directory, e);
        }
        delete(this.directory.summary());
        metrics = JsonLines.open(this.directory.metrics(), StepMetrics.class, line -> line.step() < step);
        verdicts = JsonLines.open(this.directory.verdicts(), GroupVerdict.class, line -> line.step() < step);
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

    /** RR-4. */
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
            case DeskEvent _, NodeEvent _, RunEvent.EventsDropped _ -> {}
        }
    }

    private void onCompared(RunEvent.GroupCompared group) {
        if (!compared.isEmpty() && compared.getFirst().step() != group.step()) {
            forget();
        }
        GroupVerdict verdict = GroupVerdict.of(group);
        compared.add(verdict);
        if (group.ending() instanceof GroupKeeper.GroupEnded ended) {
            List<Measurement.Edit> edits = meter.measure(ended);
            edits.stream()
                    .map(Measurement.Edit::groundTruth)
                    .flatMapToDouble(OptionalDouble::stream)
                    .forEach(groundTruths::add);
            if (worthASheet(verdict)) {
                painted.add(painter.group(verdict, ended, edits));
            }
        }
    }

    private boolean worthASheet(GroupVerdict verdict) {
        boolean allKeptSoFar = painted.stream()
                .noneMatch(sheet -> sheet.sheet().rows().getFirst().verdict() != LedgerEvent.Fate.KEPT);
        return painted.size() < SHEETS_PER_STEP - 1
                || (painted.size() < SHEETS_PER_STEP && allKeptSoFar && verdict.verdict() != LedgerEvent.Fate.KEPT);
    }

    private void onCommitted(RunEvent.StepCommitted committed) {
        compared.forEach(verdicts::append);
        metrics.append(StepMetrics.of(
                committed,
                groundTruths.stream().mapToDouble(Double::doubleValue).average()));
        unwritten = List.copyOf(painted);
        if (hasSheets(committed.step())) {
            write(unwritten);
        }
        forget();
        verdicts.force();
        metrics.force(); // RR-1
    }

    private void onEvaluated(RunEvent.Evaluated evaluated) {
        evaluations.append(EvaluationResult.of(evaluated, meter.measure(evaluated)));
        evaluations.force();
        List<GroupKeeper.GroupEnded> drawn = evaluated.endings().stream()
                .filter(GroupKeeper.GroupEnded.class::isInstance)
                .map(GroupKeeper.GroupEnded.class::cast)
                .toList();
        int step = Math.toIntExact(evaluated.request().version().value());
        SheetPainter.@Nullable Painted sheet =
                switch (evaluated.request().name()) {
                    case Evaluations.HELD_OUT_BEFORE -> heldOut.before(step, drawn);
                    case Evaluations.HELD_OUT_AFTER -> heldOut.comparison(step, drawn);
                    default -> null;
                };
        if (sheet != null) {
            write(List.of(sheet));
        }
    }

    private void write(List<SheetPainter.Painted> all) {
        sheets.requireThere(); // a picture makes its directory
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
        groundTruths.clear();
        painted.clear();
    }

    /** @throws java.io.UncheckedIOException if a file with what was recorded is not there any more; the message names it */
    void requireThere() {
        files().forEach(JsonLines::requireThere);
    }

    private List<JsonLines<?>> files() {
        return List.of(metrics, verdicts, evaluations, sheets);
    }

    @Override
    public void close() {
        files().forEach(JsonLines::close);
    }
}
