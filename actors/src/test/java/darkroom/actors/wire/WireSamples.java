package darkroom.actors.wire;

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
import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.device.Unit;
import darkroom.actors.device.WireMessage;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.LeasedWorker;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.PlanePeer;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/**
 * One of every message between nodes, with one of everything that a message can hold. Components of one record differ, so
 * that swapped components change bytes.
 */
final class WireSamples {
    private final ActorRefResolver refs;
    private final SequencedMap<String, WireMessage> all = new LinkedHashMap<>();
    private long tensors;

    private WireSamples(ActorRefResolver refs) {
        this.refs = refs;
    }

    /** Returns the samples by name, in the order of the stored samples. */
    static SequencedMap<String, WireMessage> all(ActorRefResolver refs) {
        WireSamples samples = new WireSamples(refs);
        samples.queues();
        samples.workers();
        samples.nodes();
        samples.reports();
        samples.words();
        return samples.all;
    }

    private void queues() {
        ActorRef<LeasedWorker.Command<RolloutUnit, RolloutResult>> worker = actor("worker", 11);
        ActorRef<LeasedWorker.Command<ScoreUnit, ScoreOutcome>> scorer = actor("scorer", 12);
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> trainer = actor("trainer", 13);
        add("Heartbeat, idle", new WorkQueue.Heartbeat<>(worker, "node-1/rollout-0", 2, Set.of()));
        add(
                "Heartbeat, three leases",
                new WorkQueue.Heartbeat<>(
                        worker,
                        "node-1/rollout-0",
                        4,
                        Set.of(new LeaseId(7), new LeaseId(300), new LeaseId(1L << 40))));
        add(
                "Finished, images",
                new WorkQueue.Finished<>(worker, new LeaseId(1), new RolloutResult(List.of(image(), sdeImage()))));
        add(
                "Finished, scored",
                new WorkQueue.Finished<>(
                        scorer, new LeaseId(2), new ScoreOutcome.Scored(0.75, 0.5, 3, "judge at \u6c34\ud83c\udfa8")));
        add(
                "Finished, unscored",
                new WorkQueue.Finished<>(scorer, new LeaseId(3), new ScoreOutcome.Unscored("no label", 4)));
        add(
                "Finished, gradient",
                new WorkQueue.Finished<>(trainer, new LeaseId(4), new Trained.Gradient(tensor(), -0.25, 1e-9)));
        add("Finished, update", new WorkQueue.Finished<>(trainer, new LeaseId(5), new Trained.Updated(state(), 2.5)));
        for (Fault fault : List.of(
                new Fault.Retry("again"),
                new Fault.InputLost(tensor(), "gone"),
                new Fault.Exhausted("too often"),
                new Fault.DropGroup("not this group"),
                new Fault.StopRun("no further"))) {
            add("Failed, " + fault.getClass().getSimpleName(), new WorkQueue.Failed<>(worker, new LeaseId(6), fault));
        }
    }

    private void words() {
        ActorRef<LeasedWorker.Command<ScoreUnit, ScoreOutcome>> scorer = actor("scorer", 12);
        add(
                "Words",
                new WorkQueue.WorkerReports<ScoreUnit, ScoreOutcome>(List.of(
                        new WorkQueue.Heartbeat<>(scorer, "node-1/score-0", 8, Set.of(new LeaseId(9))),
                        new WorkQueue.Finished<>(scorer, new LeaseId(8), new ScoreOutcome.Scored(0.25, 1, 1, "judge")),
                        new WorkQueue.Failed<>(scorer, new LeaseId(9), new Fault.Retry("again")))));
    }

    private void workers() {
        add("Perform, draw for training", perform(rollout(RolloutUnit.Purpose.TRAINING)));
        add("Perform, draw for an evaluation", perform(rollout(RolloutUnit.Purpose.EVALUATION)));
        add("Perform, score", perform(new ScoreUnit(new ImageAddress("run-1", 3, 2, 1), referencePrompt(), tensor())));
        TrainUnit.Sample first = new TrainUnit.Sample(new TrainingSample(2, 1, prompt(), image(), 0.875, 1.5), 9);
        TrainUnit.Sample second =
                new TrainUnit.Sample(new TrainingSample(4, 0, referencePrompt(), sdeImage(), 0.125, -1.5), 8);
        List<List<TrainUnit.Sample>> units = List.of(List.of(first, second), List.of(second));
        add("Perform, gradients", perform(new TrainUnit.GradientBlock("run-1", -42L, 3, 1, 4, state(), units, 64)));
        add(
                "Perform, update",
                perform(new TrainUnit.UpdateUnit("run-1", 3, 1, state(), List.of(tensor(), tensor()), true)));
        add("Stop", new LeasedWorker.Stop<>());
    }

    private void nodes() {
        ActorRef<NodeAgent.Command> agent = actor("agent", 14);
        Roster roster = new Roster(9, List.of(peer("node-0"), peer("node-1")));
        WorkQueues queues =
                new WorkQueues(actor("rollout-queue", 15), actor("score-queue", 16), actor("train-queue", 17));
        add("Join", new NodeRegistry.Join(card(), agent));
        add("Present", new NodeRegistry.Present("node-1", 9, 2, agent));
        for (NodeEvent.Departure departure : NodeEvent.Departure.values()) {
            add("Leaving " + departure, new NodeRegistry.Leaving("node-1", departure, "told to"));
        }
        for (WorkQueueEvent event : List.of(
                new WorkQueueEvent.WorkerJoined("rollout", "node-1/rollout-0", 2),
                new WorkQueueEvent.WorkerLost("rollout", "node-1/rollout-0", 1),
                new WorkQueueEvent.LeaseExpired("rollout", "node-1/rollout-0", "rollout run-1 step 3 group 2"),
                new WorkQueueEvent.WorkFailed("score", "node-1/score-0", "score run-1 step 3", "HTTP 503"),
                new WorkQueueEvent.DeviceSlotFailing("node", "node-1/rollout-0", 5),
                new WorkQueueEvent.NobodyThere("rollout", 12),
                new WorkQueueEvent.NoiseMeasured("score", "10.0.0.2:8000", 16, 0.5, 0.0625, 0.25),
                new WorkQueueEvent.Stalled(
                        "train", "nobody", "update run-1 step 3", Duration.ofSeconds(20, 7), true))) {
            add("Ails, " + event.getClass().getSimpleName(), new NodeRegistry.WorkerIssue(event));
        }
        add("AskStatus", new NodeRegistry.GetStatus(actor("status", 18)));
        add("Welcome", new NodeAgent.Welcome("recipe = nft\n", queues, roster));
        add("TurnedAway", new NodeAgent.Refused("full"));
        add("JoinAgain", new NodeAgent.JoinAgain());
        add("RosterIs", new NodeAgent.RosterIs(roster));
        add("StepsOver", new NodeAgent.StepsOver(2, List.of(new NodeAgent.StepOver("run-1", 3))));
        add("Dismissed", new NodeAgent.Dismissed("all steps are committed"));
    }

    private void reports() {
        WorkQueueReport busy = new WorkQueueReport(
                "rollout",
                3,
                5,
                1200,
                Optional.of("node-1/rollout-0"),
                List.of(
                        new WorkQueueReport.Station(
                                "node-1/rollout-0", 2, 1, 77, Optional.of(new PolicyVersion(6)), 40),
                        new WorkQueueReport.Station("node-1/draw-1", 2, 0, 0, Optional.empty(), 41)));
        WorkQueueReport idle = new WorkQueueReport("score", 0, 0, 0, Optional.empty(), List.of());
        add(
                "ClusterStatus",
                new ClusterStatus(
                        "run-1",
                        "training",
                        3,
                        40,
                        65_000,
                        List.of(new ClusterStatus.Member(card(), 130)),
                        List.of(busy, idle)));
    }

    private void add(String name, WireMessage message) {
        all.put(name, message);
    }

    private static WireMessage perform(Unit unit) {
        return new LeasedWorker.Perform<Unit, Result>(new LeaseId(8), unit);
    }

    private RolloutUnit rollout(RolloutUnit.Purpose purpose) {
        return new RolloutUnit(
                "run-1", 0x0123456789abcdefL, purpose, 3, 2, 12, new PolicyVersion(6), tensor(), referencePrompt());
    }

    private Prompt prompt() {
        return new Prompt("row-17", "add", "Add a red ball.", "", tensor(), null);
    }

    private Prompt referencePrompt() {
        return new Prompt("row-18", "reference", "Put this hat on it.", "The hat is green.", picture(), picture());
    }

    private RolloutResult.Image image() {
        return new RolloutResult.Image(tensor(), picture(), null);
    }

    private RolloutResult.Image sdeImage() {
        return new RolloutResult.Image(tensor(), picture(), tensor());
    }

    private LearnerState state() {
        return new LearnerState(120, tensor(), tensor(), tensor(), tensor(), tensor());
    }

    private TensorRef tensor() {
        tensors++;
        return new TensorRef(
                tensors, "node-1", TensorRef.ElementType.FLOAT32, List.of(3, 32, 32), 0xffff_0000L + tensors);
    }

    private TensorRef picture() {
        tensors++;
        return new TensorRef(tensors, "node-0", TensorRef.ElementType.UINT8, List.of(), tensors);
    }

    private static NodeCard card() {
        return new NodeCard(
                "node-1",
                List.of("rollout", "reward"),
                "processor",
                "0.1.0",
                peer("node-1"),
                "http://127.0.0.1:8080/status");
    }

    private static PlanePeer peer(String node) {
        return new PlanePeer(
                node, "host of " + node, "token of a driver", "/dev/shm/window", "token of a window", "10.0.0.1:4000");
    }

    private <T> ActorRef<T> actor(String name, int uid) {
        return refs.resolveActorRef("pekko://wire/user/" + name + "#" + uid);
    }
}
