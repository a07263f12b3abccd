package darkroom.actors.run;

import darkroom.actors.device.RolloutUnit;
import darkroom.actors.events.RunState;
import darkroom.actors.ledger.GroupLedger;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerHistory;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import darkroom.tensors.TensorStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Compares the decisions of a run with its ledger, and lets the run continue once they are recorded.
 *
 * <ul>
 *   <li><b>RS-8</b> A step is opened once its ledger is this run's alone, and committed once the commit is written.
 *   <li><b>RS-9</b> Recorded events of steps after the state that the run begins from are used, not requested again and not
 *       written again; a recomputed value that differs ends the run, naming the step, and the group and slot if any.
 * </ul>
 *
 * <p>A method that finds a difference throws {@link IllegalStateException} with both values, before it writes anything.
 * Part of {@link RunSupervisor}, and used on its thread only.
 */
final class LedgerGate {
    private final ActorRef<Ledger.Command> writer;
    private final ActorRef<Ledger.Written> written;
    private final Queue<Runnable> onceWritten = new ArrayDeque<>();
    private LedgerHistory history = LedgerHistory.NONE;

    /**
     * Creates a gate in front of a ledger that is to be opened.
     *
     * @param written receives the confirmation of each write that the run waits for; calls {@link #onWritten}
     */
    LedgerGate(ActorRef<Ledger.Command> writer, ActorRef<Ledger.Written> written) {
        this.writer = writer;
        this.written = written;
    }

    /** Opens the ledger for a run that begins from {@code state}; the recorded events or the refusal follow. */
    void open(TensorStore store, RunState state, ActorRef<Ledger.Answer> answers) {
        writer.tell(new Ledger.Open(state.step(), RunDigests.of(store, state), answers)); // RS-8
    }

    /** Receives the recorded events of the opened ledger. */
    void onOpened(LedgerHistory recorded) {
        history = recorded;
    }

    /** Asks the writer to close the ledger, and to end. */
    void close() {
        writer.tell(new Ledger.Close());
    }

    /**
     * Returns the action that waits for the write confirmed by this message. Confirmations come in the order of the writes
     * (LG-1).
     */
    Runnable onWritten() {
        return onceWritten.remove();
    }

    /** Records the prompts of a step, or compares them with the recorded ones. */
    void stepOpened(LedgerEvent.StepOpened now) {
        LedgerEvent.StepOpened recorded = history.opened(now.step()).orElse(null);
        if (recorded == null) {
            write(List.of(now));
        } else if (!recorded.equals(now)) {
            throw new IllegalStateException("step %d is opened as %s, and the ledger has %s: the data are not the same"
                    .formatted(now.step(), now, recorded)); // RS-9
        }
    }

    /** Returns the reason why a group is recorded as lost, if it is: it is not generated again (RS-9). */
    Optional<String> lost(RolloutUnit rollout) {
        return history.lost(rollout.step(), rollout.group()).map(LedgerEvent.GroupLost::reason);
    }

    /** Returns the ledger as seen by the coordinator of a group, with the recorded events of that group (RS-9). */
    GroupLedger of(RolloutUnit rollout) {
        return new GroupLedger(
                history.generated(rollout.step(), rollout.group()),
                history.outcomes(rollout.step(), rollout.group()),
                writer);
    }

    /** Records the loss of a group, and runs {@code then} once it is written (RS-8). */
    void groupLost(RolloutUnit rollout, String reason, Runnable then) {
        write(new LedgerEvent.GroupLost(rollout.step(), rollout.group(), reason), then);
    }

    /** Records the filter decisions of a step, or compares them with the recorded ones. */
    void groupsJudged(int step, StepStatistics statistics) {
        List<LedgerEvent> decisions = new ArrayList<>();
        for (GroupStatistics group : statistics.groups()) {
            LedgerEvent.GroupJudged now = new LedgerEvent.GroupJudged(
                    step,
                    group.group(),
                    LedgerEvent.Fate.of(group.decision()),
                    group.decision().reason());
            Optional<LedgerEvent.GroupJudged> before = history.judged(step, group.group());
            if (before.isEmpty()) {
                decisions.add(now);
            } else if (before.get().fate() != now.fate()) {
                throw new IllegalStateException("step %d group %d is %s, and the ledger has %s"
                        .formatted(now.step(), now.group(), now, before.get())); // RS-9
            }
        }
        write(decisions);
    }

    /** Runs {@code then} once the commit of a step is written, at once if an equal commit is recorded. */
    void stepCommitted(LedgerEvent.StepCommitted now, Runnable then) {
        LedgerEvent.StepCommitted recorded = history.committed(now.step()).orElse(null);
        if (recorded == null) {
            write(now, then); // RS-8
        } else if (recorded.equals(now)) {
            then.run();
        } else {
            throw new IllegalStateException(
                    "step %d is computed as %s, and the ledger has %s".formatted(now.step(), now, recorded)); // RS-9
        }
    }

    /** Records the checkpoints that were written to disk. */
    void checkpoints(List<LedgerEvent.CheckpointWritten> events) {
        write(List.copyOf(events));
    }

    private void write(List<LedgerEvent> events) {
        if (!events.isEmpty()) {
            writer.tell(new Ledger.Write(events, Optional.empty()));
        }
    }

    private void write(LedgerEvent event, Runnable then) {
        onceWritten.add(then);
        writer.tell(new Ledger.Write(List.of(event), Optional.of(written)));
    }
}
