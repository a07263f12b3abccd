package darkroom.actors;

import static java.util.Map.entry;

import java.util.Map;

/**
 * The number of every record and enum in a message between nodes.
 *
 * <p>The table is only appended to. A number is never given to another class, not even when its own is gone: two builds
 * that disagree about a number would take one message for another.
 */
final class WireClasses {
    /** Kryo's own classes come before. */
    static final int ID_MIN = 20;

    static final Map<Integer, Class<?>> BY_ID = Map.ofEntries(
            // Desks and workers
            entry(20, WorkDesk.Heartbeat.class),
            entry(21, WorkDesk.Finished.class),
            entry(22, WorkDesk.Failed.class),
            entry(23, LeasedWorker.Perform.class),
            entry(24, LeasedWorker.Stop.class),
            entry(25, LeaseId.class),
            entry(26, LeasedWorker.Leased.class),
            entry(27, WorkDesk.Delivery.class),
            entry(28, WorkDesk.Words.class),
            // Units
            entry(30, DrawUnit.class),
            entry(31, DrawUnit.Purpose.class),
            entry(32, ScoreUnit.class),
            entry(33, ImageAddress.class),
            entry(34, TrainUnit.GradientBlock.class),
            entry(35, TrainUnit.Sample.class),
            entry(36, TrainUnit.UpdateUnit.class),
            entry(37, Lesson.class),
            entry(38, LearnerState.class),
            entry(39, Prompt.class),
            entry(40, PolicyVersion.class),
            entry(41, TensorRef.class),
            entry(42, TensorRef.ElementType.class),
            // Results and faults
            entry(50, Drawn.class),
            entry(51, Drawn.Image.class),
            entry(52, ScoreOutcome.Scored.class),
            entry(53, ScoreOutcome.Unscored.class),
            entry(54, Trained.Gradient.class),
            entry(55, Trained.Updated.class),
            entry(56, Fault.Retry.class),
            entry(57, Fault.InputLost.class),
            entry(58, Fault.Exhausted.class),
            entry(59, Fault.DropGroup.class),
            entry(60, Fault.StopRun.class),
            // Gate and agents
            entry(70, Gate.Join.class),
            entry(71, Gate.Present.class),
            entry(72, Gate.Leaving.class),
            entry(73, Gate.Ails.class),
            entry(74, Gate.AskStatus.class),
            entry(75, NodeAgent.Welcome.class),
            entry(76, NodeAgent.TurnedAway.class),
            entry(77, NodeAgent.JoinAgain.class),
            entry(78, NodeAgent.RosterIs.class),
            // 79 was a message with one step.
            entry(110, NodeAgent.StepsOver.class),
            entry(111, NodeAgent.StepOver.class),
            entry(80, NodeAgent.Dismissed.class),
            entry(81, NodeCard.class),
            entry(82, PlanePeer.class),
            entry(83, Roster.class),
            entry(84, Desks.class),
            // Reports
            entry(90, ClusterStatus.class),
            entry(91, ClusterStatus.Guest.class),
            entry(92, DeskReport.class),
            entry(93, DeskReport.Station.class),
            entry(94, DeskEvent.WorkerJoined.class),
            entry(95, DeskEvent.WorkerLost.class),
            entry(96, DeskEvent.LeaseExpired.class),
            entry(97, DeskEvent.WorkFailed.class),
            entry(98, DeskEvent.SeatAiling.class),
            entry(99, DeskEvent.Stalled.class),
            entry(100, DeskEvent.NobodyThere.class),
            entry(101, DeskEvent.NoiseMeasured.class));

    private WireClasses() {}
}
