package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ScoreOutcome;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Makes rows of contact sheets from groups whose images are still held, and pictures from rows. */
final class SheetPainter {
    private final Function<String, Row> rows;
    private final Evaluator evaluator;

    SheetPainter(Function<String, Row> rows, Evaluator evaluator) {
        this.rows = rows;
        this.evaluator = evaluator;
    }

    /** A sheet and its picture, not yet written. */
    record Painted(ContactSheet sheet, RgbImage picture) {}

    /**
     * One row with its images in the size of a cell.
     *
     * @param images one entry per cell of {@code row}; {@code null} for a cell left white
     */
    record PaintedRow(ContactSheet.Row row, List<@Nullable RgbImage> images) {
        PaintedRow {
            images = java.util.Collections.unmodifiableList(new ArrayList<>(images));
        }
    }

    /** Returns the sheet of a training group: source, reference if there is one, edits, target if it is known. */
    Painted group(GroupDecision decision, GroupOutcome.Finished ended, List<Measurement.Edit> edits) {
        Row row = rows.apply(ended.rollout().prompt().row());
        ContactSheet.Scale scale = ContactSheet.Scale.of(row.source());
        PaintedRow painted = row(
                ended,
                edits,
                scale,
                RunRecorder.SHEET_EDITS_MAX,
                row.reference() != null,
                row.target() != null,
                decision);
        String file = String.format(Locale.ROOT, "sheets/step-%05d-group-%03d.png", decision.step(), decision.group());
        return sheet(file, ContactSheet.Kind.TRAINING, decision.step(), scale, List.of(painted));
    }

    /** Returns the rows of one evaluation; all have a cell for a reference if one of them has a reference. */
    List<PaintedRow> rows(List<GroupOutcome.Finished> groups, ContactSheet.Scale scale, int editsMax) {
        boolean references = groups.stream()
                .anyMatch(group -> rows.apply(group.rollout().prompt().row()).reference() != null);
        return groups.stream()
                .map(group -> row(group, evaluator.measure(group), scale, editsMax, references, true, null))
                .toList();
    }

    ContactSheet.Scale scale(GroupOutcome.Finished group) {
        return ContactSheet.Scale.of(rows.apply(group.rollout().prompt().row()).source());
    }

    static Painted sheet(
            String file, ContactSheet.Kind kind, int step, ContactSheet.Scale scale, List<PaintedRow> rows) {
        ContactSheet sheet = new ContactSheet(
                file,
                kind,
                step,
                scale.width(),
                scale.height(),
                scale.magnification(),
                rows.stream().map(PaintedRow::row).toList());
        return new Painted(
                sheet,
                ContactSheet.rollout(
                        scale, rows.stream().map(PaintedRow::images).toList()));
    }

    private PaintedRow row(
            GroupOutcome.Finished ended,
            List<Measurement.Edit> edits,
            ContactSheet.Scale scale,
            int editsMax,
            boolean referenceCell,
            boolean targetCell,
            @Nullable GroupDecision decision) {
        Prompt prompt = ended.rollout().prompt();
        Row row = rows.apply(prompt.row());
        List<ContactSheet.Cell> cells = new ArrayList<>();
        List<@Nullable RgbImage> images = new ArrayList<>();
        cells.add(ContactSheet.Cell.of(ContactSheet.Role.SOURCE));
        images.add(scale.fit(row.source()));
        if (referenceCell) {
            optional(ContactSheet.Role.REFERENCE, row.reference(), scale, cells, images);
        }
        IntStream.range(0, Math.min(editsMax, edits.size())).forEach(slot -> {
            Measurement.Edit edit = edits.get(slot);
            cells.add(new ContactSheet.Cell(
                    ContactSheet.Role.EDIT,
                    edit.reward(),
                    edit.groundTruth(),
                    ended.outcomes().get(slot) instanceof ScoreOutcome.Unscored unscored ? unscored.reason() : null));
            images.add(scale.fit(
                    evaluator.image(ended.generated().images().get(slot).pixels())));
        });
        if (targetCell) {
            optional(ContactSheet.Role.TARGET, row.target(), scale, cells, images);
        }
        ContactSheet.Row line = new ContactSheet.Row(
                prompt.row(),
                prompt.taskType(),
                prompt.instruction(),
                decision == null ? null : decision.decision(),
                decision == null ? null : decision.reason(),
                cells);
        return new PaintedRow(line, images);
    }

    private static void optional(
            ContactSheet.Role role,
            @Nullable RgbImage image,
            ContactSheet.Scale scale,
            List<ContactSheet.Cell> cells,
            List<@Nullable RgbImage> images) {
        cells.add(image == null ? ContactSheet.Cell.EMPTY : ContactSheet.Cell.of(role));
        images.add(image == null ? null : scale.fit(image));
    }
}
