package darkroom.runtime.run;

import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.InputLine;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import java.util.function.Consumer;

/** Rows of the rendered tasks: the first {@code size} of a split. */
public final class EmbeddedRows implements Rows {
    private final EditTasks tasks;
    private final Split split;
    private final int size;

    public EmbeddedRows(EditTasks tasks, Split split, int size) {
        this.tasks = tasks;
        this.split = split;
        this.size = size;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public String digest() {
        return tasks.sha256(split);
    }

    @Override
    public void inputs(String input, Consumer<InputLine> each) {
        each.accept(InputLine.whole(input, "rendered tasks of this build", digest()));
    }

    @Override
    public Row row(int index) {
        EditTask task = tasks.render(split, index);
        return new Row(
                task.id(),
                task.type().label(),
                task.instruction(),
                task.requirement(),
                task.source(),
                task.reference(),
                task.target());
    }
}
