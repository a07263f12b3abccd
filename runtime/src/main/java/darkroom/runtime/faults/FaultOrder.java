package darkroom.runtime.faults;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One fault, in the form in which a node receives it.
 *
 * @param forMillis duration; 0 until it is healed, or once
 * @param share share of affected messages, in (0, 1]
 * @param delayMillis additional time of units, or lead of the clock
 * @param direction direction of the losses of a partition or a cut
 * @param peer only nodes whose roles or names contain this; empty: all others
 * @param moment of {@link FaultKind#KILL_AT}, and of no other kind
 * @param count maximum number of units, answers or processes; 0: no limit
 */
public record FaultOrder(
        FaultKind kind,
        long forMillis,
        double share,
        long delayMillis,
        Direction direction,
        String peer,
        Optional<FaultMoment> moment,
        int count) {
    private static final Duration PAUSE = Duration.ofMillis(800);
    private static final Duration LASTS_MAX = Duration.ofHours(1);

    public FaultOrder {
        require(forMillis >= 0 && forMillis <= LASTS_MAX.toMillis(), kind + ": for=" + forMillis + " ms: up to 1h");
        require(share > 0 && share <= 1, kind + ": share=" + share + ": allowed are numbers in (0, 1]");
        require(
                delayMillis >= 0 && delayMillis <= LASTS_MAX.toMillis(),
                kind + ": delay=" + delayMillis + " ms: up to 1h");
        require(count >= 0 && count <= 1000, kind + ": count=" + count + ": allowed are 0 to 1000");
        require(
                (kind == FaultKind.KILL_AT) == moment.isPresent(),
                kind == FaultKind.KILL_AT
                        ? "kill-at needs a moment, one of " + List.of(FaultMoment.values())
                        : kind + " has no moment; that is for kill-at");
    }

    /** Direction in which messages are lost. */
    public enum Direction {
        BOTH,
        /** The node receives nothing. */
        IN,
        /** The node reaches no other. */
        OUT;

        @Override
        @JsonValue
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        @JsonCreator
        public static Direction of(String text) {
            return Arrays.stream(values())
                    .filter(direction -> direction.toString().equals(text))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "direction=%s: allowed are %s".formatted(text, List.of(values()))));
        }
    }

    /** Returns an order with the defaults of its kind: a lasting fault lasts two seconds. */
    public static FaultOrder usual(FaultKind kind) {
        long lasts =
                switch (kind) {
                    case KILL, TERM, KILL_AT, CRASH_ACTOR, TORN_CHECKPOINT, JOIN_STORM, LEAVE_STORM, KILL_STORM -> 0;
                    case PAUSE -> PAUSE.toMillis();
                    default -> 2000;
                };
        return new FaultOrder(
                kind,
                lasts,
                switch (kind) {
                    case LEDGER_GONE -> 1;
                    case TENSOR_DUPLICATE -> 0.5;
                    case TENSOR_CORRUPT -> 0.05;
                    default -> 0.2;
                },
                kind == FaultKind.CLOCK_JUMP ? Duration.ofMinutes(10).toMillis() : 300,
                Direction.BOTH,
                "",
                kind == FaultKind.KILL_AT ? Optional.of(FaultMoment.JOIN) : Optional.empty(),
                switch (kind) {
                    case CRASH_ACTOR -> 1;
                    case JOIN_STORM, LEAVE_STORM, KILL_STORM -> 2;
                    default -> 0;
                });
    }

    /** Returns the kind and non-default parameters, for people. */
    public String text() {
        FaultOrder usual = usual(kind);
        StringBuilder all = new StringBuilder(kind.toString());
        moment.ifPresent(at -> all.append(" moment=").append(at));
        if (forMillis != usual.forMillis) {
            all.append(" for=").append(forMillis).append("ms");
        }
        if (share != usual.share) {
            all.append(" share=").append(String.format(Locale.ROOT, "%s", share));
        }
        if (delayMillis != usual.delayMillis) {
            all.append(" delay=").append(delayMillis).append("ms");
        }
        if (direction != usual.direction) {
            all.append(" direction=").append(direction);
        }
        if (!peer.isEmpty()) {
            all.append(" peer=").append(peer);
        }
        if (count != usual.count) {
            all.append(" count=").append(count);
        }
        return all.toString();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
