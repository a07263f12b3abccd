package darkroom.edittasks.tasks;

import java.util.Locale;

/**
 * A set of rows by their use. No two splits share a combination of task, subject and attribute
 * ({@link Combination}).
 */
public enum Split {
    /** Rows that models are trained on. */
    TRAIN(0),
    /** Rows that decide on stopping and on settings. */
    VALIDATION(1),
    /** Rows used in reports: every object and background was trained on, but not in this task. */
    HELD_OUT(2),
    /** The strictest rows: the object, the scene's background or the word never occurred in any task. */
    UNSEEN_OBJECTS(3);

    private final int number;

    Split(int number) {
        this.number = number;
    }

    /** Fixed number that keys the rows. */
    int number() {
        return number;
    }

    /** Returns the name used in row ids and files, for instance {@code held-out}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the file of a dataset directory that contains these rows. Edit-R1 reads {@code train_metadata.jsonl} and {@code
     * test_metadata.jsonl}; both kinds of held-out rows are tests.
     */
    public String metadataFile() {
        return switch (this) {
            case TRAIN -> "train_metadata.jsonl";
            case VALIDATION -> "validation_metadata.jsonl";
            case HELD_OUT, UNSEEN_OBJECTS -> "test_metadata.jsonl";
        };
    }
}
