package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.actors.Prompt;
import darkroom.actors.ScoreOutcome;
import darkroom.edittasks.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Makes rows of contact sheets from groups whose images are alive, and pictures from rows. */
final class SheetPainter {
    private final Function<String, Row> rows;
    private final Meter meter;

    SheetPainter(Function<String, Row> rows, Meter meter) {
        this.rows = rows;
        this.meter = meter;
    }

    /** A sheet and its picture before it is written. */
    record Painted(ContactSheet sheet, RgbImage picture) {}

    /**
     * One row with its images in the size of a cell.
     *
     * @param images one entry a cell of {@code row}; {@code null} for a cell left white
     */
    record PaintedRow(ContactSheet.Row row, List<@Nullable RgbImage> images) {
        PaintedRow {
            images = java.util.Collections.unmodifiableList(new ArrayList<>(images));
        }
    }

    /** The sheet of a training group: source, reference if there is one, edits, target if it is known. */
    Painted group(GroupVerdict verdict, GroupKeeper.GroupEnded ended, List<Measurement.Edit> edits) {
        Row row = rows.apply(ended.draw().prompt().row());
        ContactSheet.Scale scale = ContactSheet.Scale.of(row.source());
        PaintedRow painted = row(
                ended,
                edits,
                scale,
                RunRecorder.SHEET_EDITS_MAX,
                row.reference() != null,
                row.target() != null,
                verdict);
        String file = String.format(Locale.ROOT, "sheets/step-%05d-group-%03d.png", verdict.step(), verdict.group());
        return sheet(file, ContactSheet.Kind.TRAINING, verdict.step(), scale, List.of(painted));
    }

    /** Rows of one evaluation; all have a cell for a reference if one of them has a reference. */
    List<PaintedRow> rows(List<GroupKeeper.GroupEnded> groups, ContactSheet.Scale scale, int editsMax) {
        boolean references = groups.stream()
                .anyMatch(group -> rows.apply(group.draw().prompt().row()).reference() != null);
        return groups.stream()
                .map(group -> row(group, meter.measure(group), scale, editsMax, references, true, null))
                .toList();
    }

    ContactSheet.Scale scale(GroupKeeper.GroupEnded group) {
        return ContactSheet.Scale.of(rows.apply(group.draw().prompt().row()).source());
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
                ContactSheet.draw(scale, rows.stream().map(PaintedRow::images).toList()));
    }

    private PaintedRow row(
            GroupKeeper.GroupEnded ended,
            List<Measurement.Edit> edits,
            ContactSheet.Scale scale,
            int editsMax,
            boolean referenceCell,
            boolean targetCell,
            @Nullable GroupVerdict verdict) {
        Prompt prompt = ended.draw().prompt();
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
            images.add(scale.fit(meter.image(ended.drawn().images().get(slot).pixels())));
        });
        if (targetCell) {
            optional(ContactSheet.Role.TARGET, row.target(), scale, cells, images);
        }
        ContactSheet.Row line = new ContactSheet.Row(
                prompt.row(),
                prompt.taskType(),
                prompt.instruction(),
                verdict == null ? null : verdict.verdict(),
                verdict == null ? null : verdict.reason(),
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
