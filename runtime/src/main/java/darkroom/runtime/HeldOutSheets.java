package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.edittasks.RgbImage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The held-out sheets: some rows of every task type before the run, and the same rows, drawn from the same noise, after
 * it. What was before is read back from its own sheet, so that a resumed run compares with it too.
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

    /** @param drawn rows of the evaluation that have images, in order; the sheet is absent if there are none */
    SheetPainter.@Nullable Painted before(int step, List<GroupKeeper.GroupEnded> drawn) {
        if (drawn.isEmpty()) {
            return null;
        }
        List<GroupKeeper.GroupEnded> chosen = chosen(drawn);
        ContactSheet.Scale scale = painter.scale(chosen.getFirst());
        return SheetPainter.sheet(
                BEFORE, ContactSheet.Kind.BEFORE, step, scale, painter.rows(chosen, scale, RunRecorder.HELD_OUT_EDITS));
    }

    /** One row of each task type in turn, types by name, until there are enough; then ordered by type. */
    private static List<GroupKeeper.GroupEnded> chosen(List<GroupKeeper.GroupEnded> drawn) {
        Map<String, Deque<GroupKeeper.GroupEnded>> waiting = new TreeMap<>();
        Map<String, List<GroupKeeper.GroupEnded>> taken = new TreeMap<>();
        for (GroupKeeper.GroupEnded group : drawn) {
            waiting.computeIfAbsent(group.draw().prompt().taskType(), _ -> new ArrayDeque<>())
                    .add(group);
        }
        int count = 0;
        int wanted = Math.min(RunRecorder.HELD_OUT_ROWS, drawn.size());
        while (count < wanted) {
            for (Map.Entry<String, Deque<GroupKeeper.GroupEnded>> type : waiting.entrySet()) {
                GroupKeeper.GroupEnded next = type.getValue().poll();
                if (next != null && count < wanted) {
                    taken.computeIfAbsent(type.getKey(), _ -> new ArrayList<>()).add(next);
                    count++;
                }
            }
        }
        return taken.values().stream().flatMap(List::stream).toList();
    }

    /** Absent if there is no sheet of before, or none of its rows was drawn again. */
    SheetPainter.@Nullable Painted comparison(int step, List<GroupKeeper.GroupEnded> drawn) {
        List<ContactSheet> befores = JsonLines.read(directory.sheets(), ContactSheet.class).stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.BEFORE)
                .toList();
        if (befores.isEmpty()) {
            return null;
        }
        ContactSheet before = befores.getLast();
        Map<String, GroupKeeper.GroupEnded> after = new HashMap<>();
        drawn.forEach(group -> after.put(group.draw().prompt().row(), group));
        List<List<@Nullable RgbImage>> images = before.images(directory);
        List<SheetPainter.PaintedRow> earlier = new ArrayList<>();
        List<GroupKeeper.GroupEnded> again = new ArrayList<>();
        for (int r = 0; r < before.rows().size(); r++) {
            GroupKeeper.GroupEnded group = after.get(before.rows().get(r).row());
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

    /** The row of before, with the edits of after in front of the target. */
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
                new ContactSheet.Row(row.row(), row.taskType(), row.instruction(), row.verdict(), row.reason(), cells),
                images);
    }
}
