package darkroom.runtime;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Moments at which a process may be made to die: between the two halves of something that must not be half done. */
enum FaultMoment {
    /** A worker node has been let in, and its workers have not begun. */
    JOIN,
    /** Part of a large tensor, for instance of new weights, has arrived. */
    WEIGHTS,
    /** A step is trained, and its commit is not in the ledger. */
    COMMIT,
    /** The commit is in the ledger, and nobody has heard of it. */
    COMMITTED,
    /** A checkpoint is written beside its place. */
    CHECKPOINT,
    /** It has its name, and the ledger does not know of it. */
    CHECKPOINTED;

    /** Whether only a control node ever gets there. */
    boolean isOfControl() {
        return this != JOIN && this != WEIGHTS;
    }

    @Override
    @JsonValue
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException naming those that there are */
    @JsonCreator
    static FaultMoment of(String text) {
        return Arrays.stream(values())
                .filter(moment -> moment.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no moment \"%s\"; there are %s".formatted(text, List.of(values()))));
    }
}
