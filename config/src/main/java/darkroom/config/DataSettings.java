package darkroom.config;

import java.util.HashSet;
import java.util.List;

/**
 * Source of the prompts.
 *
 * @param source {@code embedded} for rendered tasks, else a directory in the Edit-R1 layout
 * @param tasks names of the task types drawn from; their order has no effect
 * @param trainTasks how many rendered rows the run draws its prompts from
 * @param onMalformed handling of a malformed line of a dataset
 * @param pictures how the pixels of picture files are read
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

    /** Creates settings that read pictures as displayed. */
    public DataSettings(String source, List<String> tasks, int trainTasks, OnMalformed onMalformed) {
        this(source, tasks, trainTasks, onMalformed, PictureView.DISPLAYED);
    }

    /** {@code SKIP} reports the line and continues; {@code STOP} reports it and ends the run before it begins. */
    public enum OnMalformed {
        SKIP,
        STOP
    }
}
