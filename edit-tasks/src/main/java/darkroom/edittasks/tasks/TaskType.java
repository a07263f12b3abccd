package darkroom.edittasks.tasks;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The kinds of edit. */
public enum TaskType {
    ADD(0),
    ADJUST(1),
    REPLACE(2),
    REMOVE(3),
    BACKGROUND(4),
    STYLE(5),
    EXTRACT(6),
    HYBRID(7),
    ACTION(8),
    TEXT(9),
    RED_BOX(10),
    REFERENCE(11);

    private final int number;

    TaskType(int number) {
        this.number = number;
    }

    /** Fixed number that decides which combinations are held out. */
    int number() {
        return number;
    }

    /** Returns the name used in files and settings, for instance {@code red-box}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the type with this {@link #label}.
     *
     * @throws IllegalArgumentException naming all labels, if no type has it
     */
    public static TaskType of(String label) {
        for (TaskType type : values()) {
            if (type.label().equals(label)) {
                return type;
            }
        }
        throw new IllegalArgumentException("task type '" + label + "' is not known; use one of "
                + Arrays.stream(values()).map(TaskType::label).collect(Collectors.joining(", ")));
    }
}
