package darkroom.runtime.faults;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Moments at which a process may be made to die: between the two halves of an operation that must not be half done. */
public enum FaultMoment {
    /** A worker node has been admitted, and its workers have not begun. */
    JOIN,
    /** Part of a large tensor, for instance of new weights, has arrived. */
    WEIGHTS,
    /** A step is trained, and its commit is not yet in the ledger. */
    COMMIT,
    /** The commit is in the ledger, and no listener has been notified. */
    COMMITTED,
    /** A checkpoint is written under a temporary name. */
    CHECKPOINT,
    /** The checkpoint has its final name, and the ledger does not list it yet. */
    CHECKPOINTED;

    /** Whether only a control node reaches this moment. */
    public boolean isOfControl() {
        return this != JOIN && this != WEIGHTS;
    }

    @Override
    @JsonValue
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Parses a name.
     *
     * @throws IllegalArgumentException listing the valid names
     */
    @JsonCreator
    public static FaultMoment of(String text) {
        return Arrays.stream(values())
                .filter(moment -> moment.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no moment \"%s\"; there are %s".formatted(text, List.of(values()))));
    }
}
