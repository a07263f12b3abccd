package darkroom.config;

import java.util.HashSet;
import java.util.List;

/**
 * Where prompts come from.
 *
 * @param source {@code embedded} for rendered tasks, else a directory in the Edit-R1 layout
 * @param tasks task types drawn from, by name; order matters to nothing
 * @param trainTasks how many rendered rows the run draws its prompts from
 * @param onMalformed what to do with a malformed line of a dataset
 * @param pictures how the pixels of picture files are taken
 */
public record DataSettings(
        String source, List<String> tasks, int trainTasks, OnMalformed onMalformed, PictureView pictures) {
    public DataSettings {
        Allowed.text("data.source", source);
        Allowed.whole("data.train-tasks", trainTasks, 1, Integer.MAX_VALUE);
        Allowed.require(
                tasks.stream().noneMatch(String::isBlank) && new HashSet<>(tasks).size() == tasks.size(),
                "data.tasks",
                tasks,
                "task types, each once");
        tasks = List.copyOf(tasks);
    }

    /** Pictures are taken as displayed. */
    public DataSettings(String source, List<String> tasks, int trainTasks, OnMalformed onMalformed) {
        this(source, tasks, trainTasks, onMalformed, PictureView.DISPLAYED);
    }

    /** {@code SKIP} reports the line and goes on; {@code STOP} reports it and ends the run before it begins. */
    public enum OnMalformed {
        SKIP,
        STOP
    }
}
