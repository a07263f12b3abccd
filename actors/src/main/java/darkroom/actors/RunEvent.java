package darkroom.actors;

import java.util.List;

/** What a run tells the one who watches it. */
public sealed interface RunEvent
        permits DeskEvent,
                NodeEvent,
                RunEvent.GroupFinished,
                RunEvent.GroupCompared,
                RunEvent.StepCommitted,
                RunEvent.Evaluated,
                RunEvent.EventsDropped,
                RunEvent.Ended {

    /**
     * A group of a run or of an evaluation has its scores; in order of time, for live views. Tensors are alive.
     *
     * @param run name of the run or evaluation
     */
    record GroupFinished(String run, GroupKeeper.Ending ending) implements RunEvent {}

    /**
     * The verdict on a group, in (step, group) order, once its whole step is there. Tensors are alive.
     *
     * @param ending images and scores, or why there are none
     */
    record GroupCompared(int step, GroupKeeper.Ending ending, GroupStatistics statistics) implements RunEvent {}

    /**
     * Version {@code step + 1} is there. Tensors of {@code state} are alive until the next commit is heard.
     *
     * @param step from 0
     * @param lessons samples trained on, over all passes
     * @param passes one entry an optimizer step; empty if no group was kept
     * @param state where a resumed run would begin
     */
    record StepCommitted(
            int step,
            StepStatistics statistics,
            StepTally tally,
            int lessons,
            List<PassStatistics> passes,
            StepTimings timings,
            RunState state)
            implements RunEvent {
        public StepCommitted {
            passes = List.copyOf(passes);
        }
    }

    /**
     * All groups of an evaluation, in order. Tensors are alive for the listener, and for nobody after.
     *
     * @param endings one entry a prompt
     */
    record Evaluated(EvaluationRequest request, List<GroupKeeper.Ending> endings) implements RunEvent {
        public Evaluated {
            endings = List.copyOf(endings);
        }
    }

    /**
     * Events of desks and nodes came faster than the listener took them, and were dropped.
     *
     * @param events how many
     * @param waitingMax how many may wait
     */
    record EventsDropped(int events, int waitingMax) implements RunEvent {}

    /** @param state of the last commit; its tensors now belong to whoever started the run */
    record Ended(RunState state, End end) implements RunEvent {}

    /** Why a run ended. */
    sealed interface End {
        /** All steps are committed. */
        record Completed() implements End {}

        /** {@link StopWhen} said so. */
        record ByRule(String reason) implements End {}

        /** Someone asked for it. */
        record ByRequest() implements End {}

        /** It could not go on; it may be resumed from the state once the cause is gone. */
        record Failed(String message) implements End {}
    }
}
