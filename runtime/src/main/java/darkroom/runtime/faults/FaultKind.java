package darkroom.runtime.faults;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Kinds of faults, and the scope of each. */
public enum FaultKind {
    KILL(Scope.NODE, "the process is killed without warning (SIGKILL)"),
    TERM(Scope.NODE, "the process is asked to end (SIGTERM), as by a spot market's notice"),
    STOP(Scope.NODE, "the process is stopped for a while and resumes: it is alive, and silent (SIGSTOP)"),
    PAUSE(Scope.NODE, "the same for 800 ms by default, as by a long garbage collection"),
    KILL_AT(Scope.NODE, "the process dies when it next reaches a moment"),
    CRASH_ACTOR(Scope.NODE, "the actor of a device fails at the next unit of work"),
    HANG_DEVICE(Scope.NODE, "units that begin have no end"),
    SLOW_DEVICE(Scope.NODE, "every unit takes a delay longer"),
    PARTITION(Scope.NODE, "messages and tensors between this node and others are lost, both ways or one"),
    ARTERY_CUT(Scope.NODE, "messages are lost, both ways or one; tensors are not"),
    TENSOR_LOSS(Scope.NODE, "a share of what arrives on the tensor plane is lost"),
    TENSOR_DELAY(Scope.NODE, "a share of it comes 100 ms late, behind others"),
    TENSOR_DUPLICATE(Scope.NODE, "a share of it comes twice"),
    TENSOR_CORRUPT(Scope.NODE, "a share of it has other bits"),
    SCORER_ERROR(Scope.NODE, "scorers answer with status 500"),
    SCORER_HANG(Scope.NODE, "scorers answer /health, and no question"),
    SCORER_GARBAGE(Scope.NODE, "scorers answer with bytes that are no answer"),
    SCORER_BREAK_OFF(Scope.NODE, "scorers break off in the middle of an answer"),
    SCORER_SLOW(Scope.NODE, "scorers answer a second late"),
    SCORER_WRONG(Scope.NODE, "scorers give valid answers that are wrong: the only kind that may change a result"),
    DISK_FULL(Scope.NODE, "no file of the process grows beyond 1 MiB"),
    TORN_CHECKPOINT(Scope.NODE, "the newest checkpoint loses its second half, and the process dies"),
    LEDGER_GONE(Scope.NODE, "the database of the ledger is gone, for a share of what is asked of it"),
    CLOCK_JUMP(Scope.NODE, "the wall clock of the run is a delay ahead"),
    JOIN_STORM(Scope.CLUSTER, "several more processes of a role join at once"),
    LEAVE_STORM(Scope.CLUSTER, "several processes of a role are asked to end at once"),
    KILL_STORM(Scope.CLUSTER, "several processes of a role are killed at once");

    private final Scope scope;
    private final String meaning;

    /** Scope of a fault. */
    public enum Scope {
        /** One process, which accepts the order. */
        NODE,
        /** Several processes, by the process that starts and ends them. */
        CLUSTER
    }

    FaultKind(Scope scope, String meaning) {
        this.scope = scope;
        this.meaning = meaning;
    }

    public Scope scope() {
        return scope;
    }

    /** Returns one line for people. */
    public String meaning() {
        return meaning;
    }

    /** Whether the process is gone or silent afterwards, so that it cannot report the fault. */
    public boolean silences() {
        return switch (this) {
            case KILL, TERM, STOP, PAUSE, KILL_AT, TORN_CHECKPOINT, JOIN_STORM, LEAVE_STORM, KILL_STORM -> true;
            default -> false;
        };
    }

    /** Returns the name as plans and command lines spell it. */
    @Override
    @JsonValue
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Parses a name.
     *
     * @throws IllegalArgumentException listing the valid names
     */
    @JsonCreator
    public static FaultKind of(String text) {
        return Arrays.stream(values())
                .filter(kind -> kind.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no fault \"%s\"; there are %s"
                        .formatted(
                                text,
                                Arrays.stream(values()).map(FaultKind::toString).collect(Collectors.joining(", ")))));
    }
}
