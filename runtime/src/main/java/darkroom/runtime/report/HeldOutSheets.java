package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The held-out sheets: some rows of every task type before the run, and the same rows, generated from the same noise,
 * after it. The earlier images are read back from their own sheet, so that a resumed run compares with them too.
 */
final class HeldOutSheets {
    private static final String BEFORE = "sheets/held-out-before.png";
    private static final String COMPARISON = "sheets/held-out.png";

    private final RunDirectory directory;
    private final SheetPainter painter;

    HeldOutSheets(RunDirectory directory, SheetPainter painter) {
        this.directory = directory;
        this.painter = painter;
    }

    /**
     * Returns the sheet before training; {@code null} if no row has images.
     *
     * @param generated rows of the evaluation that have images, in order
     */
    SheetPainter.@Nullable Painted before(int step, List<GroupOutcome.Finished> generated) {
        if (generated.isEmpty()) {
            return null;
        }
        List<GroupOutcome.Finished> chosen = chosen(generated);
        ContactSheet.Scale scale = painter.scale(chosen.getFirst());
        return SheetPainter.sheet(
                BEFORE, ContactSheet.Kind.BEFORE, step, scale, painter.rows(chosen, scale, RunRecorder.HELD_OUT_EDITS));
    }

    /** Picks one row of each task type in turn, types by name, until there are enough; then orders them by type. */
    private static List<GroupOutcome.Finished> chosen(List<GroupOutcome.Finished> generated) {
        Map<String, Deque<GroupOutcome.Finished>> waiting = new TreeMap<>();
        Map<String, List<GroupOutcome.Finished>> taken = new TreeMap<>();
        for (GroupOutcome.Finished group : generated) {
            waiting.computeIfAbsent(group.rollout().prompt().taskType(), _ -> new ArrayDeque<>())
                    .add(group);
        }
        int count = 0;
        int wanted = Math.min(RunRecorder.HELD_OUT_ROWS, generated.size());
        while (count < wanted) {
            for (Map.Entry<String, Deque<GroupOutcome.Finished>> type : waiting.entrySet()) {
                GroupOutcome.Finished next = type.getValue().poll();
                if (next != null && count < wanted) {
                    taken.computeIfAbsent(type.getKey(), _ -> new ArrayList<>()).add(next);
                    count++;
                }
            }
        }
        return taken.values().stream().flatMap(List::stream).toList();
    }

    /** Returns the comparison; {@code null} if the earlier sheet is missing or none of its rows was generated again. */
    SheetPainter.@Nullable Painted comparison(int step, List<GroupOutcome.Finished> generated) {
        List<ContactSheet> befores = JsonLines.read(directory.sheets(), ContactSheet.class).stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.BEFORE)
                .toList();
        if (befores.isEmpty()) {
            return null;
        }
        ContactSheet before = befores.getLast();
        Map<String, GroupOutcome.Finished> after = new HashMap<>();
        generated.forEach(group -> after.put(group.rollout().prompt().row(), group));
        List<List<@Nullable RgbImage>> images = before.images(directory);
        List<SheetPainter.PaintedRow> earlier = new ArrayList<>();
        List<GroupOutcome.Finished> again = new ArrayList<>();
        for (int r = 0; r < before.rows().size(); r++) {
            GroupOutcome.Finished group = after.get(before.rows().get(r).row());
            if (group != null) {
                earlier.add(new SheetPainter.PaintedRow(before.rows().get(r), images.get(r)));
                again.add(group);
            }
        }
        if (again.isEmpty()) {
            return null;
        }
        List<SheetPainter.PaintedRow> later = painter.rows(again, before.scale(), RunRecorder.HELD_OUT_EDITS);
        List<SheetPainter.PaintedRow> rows = new ArrayList<>();
        for (int r = 0; r < again.size(); r++) {
            rows.add(joined(earlier.get(r), later.get(r)));
        }
        return SheetPainter.sheet(COMPARISON, ContactSheet.Kind.COMPARISON, step, before.scale(), rows);
    }

    /** Returns the earlier row with the later edits in front of the target. */
    private static SheetPainter.PaintedRow joined(SheetPainter.PaintedRow before, SheetPainter.PaintedRow after) {
        List<ContactSheet.Cell> cells = new ArrayList<>();
        List<@Nullable RgbImage> images = new ArrayList<>();
        int target = before.row().cells().size() - 1;
        for (int c = 0; c < target; c++) {
            ContactSheet.Cell cell = before.row().cells().get(c);
            cells.add(cell.role() == ContactSheet.Role.EDIT ? cell.as(ContactSheet.Role.BEFORE) : cell);
            images.add(before.images().get(c));
        }
        for (int c = 0; c < after.row().cells().size(); c++) {
            ContactSheet.Cell cell = after.row().cells().get(c);
            if (cell.role() == ContactSheet.Role.EDIT) {
                cells.add(cell.as(ContactSheet.Role.AFTER));
                images.add(after.images().get(c));
            }
        }
        cells.add(before.row().cells().get(target));
        images.add(before.images().get(target));
        ContactSheet.Row row = before.row();
        return new SheetPainter.PaintedRow(
                new ContactSheet.Row(row.row(), row.taskType(), row.instruction(), row.decision(), row.reason(), cells),
                images);
    }
}
