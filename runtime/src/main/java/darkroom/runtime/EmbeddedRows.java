package darkroom.runtime;

import darkroom.edittasks.EditTask;
import darkroom.edittasks.EditTasks;
import darkroom.edittasks.Split;
import java.util.function.Consumer;

/** Rows of the rendered tasks: the first {@code size} of a split. */
final class EmbeddedRows implements Rows {
    private final EditTasks tasks;
    private final Split split;
    private final int size;

    EmbeddedRows(EditTasks tasks, Split split, int size) {
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
