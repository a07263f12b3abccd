package darkroom.actors.wire;

import static java.util.Map.entry;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.cluster.Roster;
import darkroom.actors.device.Fault;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.LeasedWorker;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.PlanePeer;
import darkroom.tensors.TensorRef;
import java.util.Map;

/**
 * The numeric id of every record and enum in a message between nodes.
 *
 * <p>The table is append-only. An id is never given to another class, even after its class is removed: two builds that
 * disagree about an id would confuse messages.
 */
final class WireClasses {
    /** First id after Kryo's own classes. */
    static final int ID_MIN = 20;

    static final Map<Integer, Class<?>> BY_ID = Map.ofEntries(
            // Queues and workers
            entry(20, WorkQueue.Heartbeat.class),
            entry(21, WorkQueue.Finished.class),
            entry(22, WorkQueue.Failed.class),
            entry(23, LeasedWorker.Perform.class),
            entry(24, LeasedWorker.Stop.class),
            entry(25, LeaseId.class),
            entry(26, LeasedWorker.Leased.class),
            entry(27, WorkQueue.Delivery.class),
            entry(28, WorkQueue.WorkerReports.class),
            // Units
            entry(30, RolloutUnit.class),
            entry(31, RolloutUnit.Purpose.class),
            entry(32, ScoreUnit.class),
            entry(33, ImageAddress.class),
            entry(34, TrainUnit.GradientBlock.class),
            entry(35, TrainUnit.Sample.class),
            entry(36, TrainUnit.UpdateUnit.class),
            entry(37, TrainingSample.class),
            entry(38, LearnerState.class),
            entry(39, Prompt.class),
            entry(40, PolicyVersion.class),
            entry(41, TensorRef.class),
            entry(42, TensorRef.ElementType.class),
            // Results and faults
            entry(50, RolloutResult.class),
            entry(51, RolloutResult.Image.class),
            entry(52, ScoreOutcome.Scored.class),
            entry(53, ScoreOutcome.Unscored.class),
            entry(54, Trained.Gradient.class),
            entry(55, Trained.Updated.class),
            entry(56, Fault.Retry.class),
            entry(57, Fault.InputLost.class),
            entry(58, Fault.Exhausted.class),
            entry(59, Fault.DropGroup.class),
            entry(60, Fault.StopRun.class),
            // Node registry and agents
            entry(70, NodeRegistry.Join.class),
            entry(71, NodeRegistry.Present.class),
            entry(72, NodeRegistry.Leaving.class),
            entry(112, NodeEvent.Departure.class),
            entry(73, NodeRegistry.WorkerIssue.class),
            entry(74, NodeRegistry.GetStatus.class),
            entry(75, NodeAgent.Welcome.class),
            entry(76, NodeAgent.Refused.class),
            entry(77, NodeAgent.JoinAgain.class),
            entry(78, NodeAgent.RosterIs.class),
            // 79 was a message with one step.
            entry(110, NodeAgent.StepsOver.class),
            entry(111, NodeAgent.StepOver.class),
            entry(80, NodeAgent.Dismissed.class),
            entry(81, NodeCard.class),
            entry(82, PlanePeer.class),
            entry(83, Roster.class),
            entry(84, WorkQueues.class),
            // Reports
            entry(90, ClusterStatus.class),
            entry(91, ClusterStatus.Member.class),
            entry(92, WorkQueueReport.class),
            entry(93, WorkQueueReport.Station.class),
            entry(94, WorkQueueEvent.WorkerJoined.class),
            entry(95, WorkQueueEvent.WorkerLost.class),
            entry(96, WorkQueueEvent.LeaseExpired.class),
            entry(97, WorkQueueEvent.WorkFailed.class),
            entry(98, WorkQueueEvent.DeviceSlotFailing.class),
            entry(99, WorkQueueEvent.Stalled.class),
            entry(100, WorkQueueEvent.NobodyThere.class),
            entry(101, WorkQueueEvent.NoiseMeasured.class));

    private WireClasses() {}
}
