package darkroom.actors.events;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import java.util.List;

/** An event of a run, sent to its listener. */
public sealed interface RunEvent
        permits WorkQueueEvent,
                NodeEvent,
                RunEvent.GroupFinished,
                RunEvent.GroupCompared,
                RunEvent.StepCommitted,
                RunEvent.Evaluated,
                RunEvent.EventsDropped,
                RunEvent.Ended {

    /**
     * A group of a run or of an evaluation has all its outcomes; in order of time, for live views. Tensors are alive.
     *
     * @param run name of the run or evaluation
     */
    record GroupFinished(String run, GroupOutcome ending) implements RunEvent {}

    /**
     * The filter decision on a group, in (step, group) order, once its whole step is complete. Tensors are alive.
     *
     * @param ending images and scores, or why they are missing
     */
    record GroupCompared(int step, GroupOutcome ending, GroupStatistics statistics) implements RunEvent {}

    /**
     * Version {@code step + 1} is released. Tensors of {@code state} are alive until the listener has received the next
     * commit.
     *
     * @param step from 0
     * @param trainingSamples samples trained on, over all passes
     * @param passes one entry per optimizer step; empty if no group was kept
     * @param state state from which a resumed run would begin
     */
    record StepCommitted(
            int step,
            StepStatistics statistics,
            StepTally tally,
            int trainingSamples,
            List<PassStatistics> passes,
            StepTimings timings,
            RunState state)
            implements RunEvent {
        public StepCommitted {
            passes = List.copyOf(passes);
        }
    }

    /**
     * All groups of an evaluation, in order. Tensors are alive during the call of the listener only.
     *
     * @param endings one entry per prompt
     */
    record Evaluated(EvaluationRequest request, List<GroupOutcome> endings) implements RunEvent {
        public Evaluated {
            endings = List.copyOf(endings);
        }
    }

    /**
     * Events of queues and nodes arrived faster than the listener took them, and were dropped.
     *
     * @param events number of dropped events
     * @param waitingMax maximum number of waiting events
     */
    record EventsDropped(int events, int waitingMax) implements RunEvent {}

    /**
     * The run has ended.
     *
     * @param state of the last commit; its tensors now belong to the caller that started the run
     */
    record Ended(RunState state, End end) implements RunEvent {}

    /** The reason why a run ended. */
    sealed interface End {
        /** All steps are committed. */
        record Completed() implements End {}

        /** A {@link StopWhen} rule ended the run. */
        record ByRule(String reason) implements End {}

        /** The run was asked to end. */
        record ByRequest() implements End {}

        /** The run could not continue; it may be resumed from the state once the cause is gone. */
        record Failed(String message) implements End {}
    }
}
