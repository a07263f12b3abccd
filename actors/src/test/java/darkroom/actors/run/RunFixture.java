package darkroom.actors.run;

import static java.util.Objects.requireNonNull;

import darkroom.actors.device.Device;
import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.Unit;
import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.PolicyRelease;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.MemoryLedger;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.RunSettings;
import darkroom.tensors.LocalTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The external dependencies of a run with simulated devices, and all its events. */
public class RunFixture {
    static final int PARAMETERS = 24;
    private static final int ROWS = 40;

    final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 26);
    final List<RunEvent> heard = new CopyOnWriteArrayList<>();
    final List<RunDigests> digests = new CopyOnWriteArrayList<>();
    final List<RunState> checkpoints = new CopyOnWriteArrayList<>();
    final AtomicInteger promptsAlive = new AtomicInteger();
    private final OffHeapTensorStore vault = new OffHeapTensorStore("vault", 1 << 26);
    final RunSettings settings;
    final SimulatedDevices devices;
    public final RunPorts ports;

    /** The ban under which each step's prompts were chosen. */
    final Map<Integer, PromptBan> bansMet = new ConcurrentHashMap<>();

    /** The recorded events of the run. */
    public MemoryLedger ledger = new MemoryLedger();

    /** Checkpoints that are not in the ledger yet. */
    final List<LedgerEvent.CheckpointWritten> unrecorded = new ArrayList<>();

    /** The first step without prompts. */
    int rowsEndAtStep = Integer.MAX_VALUE;

    /** Called with every event, before it is recorded. */
    Consumer<RunEvent> listener = _ -> {};

    RunFixture(RunSettings settings, StopWhen stopWhen, Executor executor, InstantSource clock) {
        this(settings, stopWhen, executor, clock, LocalTensorPlane::new);
    }

    /** @param plane of the node that supervises the run, over its own store */
    RunFixture(
            RunSettings settings,
            StopWhen stopWhen,
            Executor executor,
            InstantSource clock,
            Function<OffHeapTensorStore, ? extends TensorPlane> plane) {
        this.settings = settings;
        this.devices = new SimulatedDevices(store, PARAMETERS, executor);
        this.ports = new RunPorts(new Rows(), stopWhen, plane.apply(store), this::hear, clock)
                .with(run -> ledger.writer(run), this::checkpointsWritten);
    }

    private void hear(RunEvent event) {
        listener.accept(event);
        heard.add(event);
        if (event instanceof RunEvent.StepCommitted committed) {
            digests.add(RunDigests.of(store, committed.state()));
            checkpoints.add(copied(store, committed.state(), vault));
        }
    }

    private List<LedgerEvent.CheckpointWritten> checkpointsWritten() {
        List<LedgerEvent.CheckpointWritten> all = List.copyOf(unrecorded);
        unrecorded.clear();
        return all;
    }

    /** Prompts whose rows are a function of the step and the ban. */
    private final class Rows implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            bansMet.put(step, ban);
            List<Prompt> prompts = new ArrayList<>();
            if (step >= rowsEndAtStep) {
                return prompts;
            }
            for (int row = step * 3; prompts.size() < settings.rollout().groupsPerStep(); row++) {
                if (!ban.bans("row-" + row % ROWS)) {
                    prompts.add(devices.prompt("row-" + row % ROWS));
                }
            }
            promptsAlive.addAndGet(prompts.size());
            return prompts;
        }

        @Override
        public void release(List<Prompt> prompts) {
            promptsAlive.addAndGet(-prompts.size());
            prompts.forEach(prompt -> store.release(prompt.source()));
        }
    }

    RunState fresh() {
        return RunState.fresh(devices.learner(settings.seed()));
    }

    /** Copies the state that {@code other} kept at its commit {@code index} into tensors of this run. */
    RunState restored(RunFixture other, int index) {
        return copied(other.vault, other.checkpoints.get(index), store);
    }

    private static RunState copied(TensorStore from, RunState state, TensorStore to) {
        Map<TensorRef, TensorRef> copies = new HashMap<>();
        for (TensorRef ref : state.tensors()) {
            copies.put(ref, to.put(ref.type(), ref.shape(), bytes -> bytes.copyFrom(from.read(ref))));
        }
        UnaryOperator<TensorRef> copied = ref -> requireNonNull(copies.get(ref));
        LearnerState learner = state.learner();
        return new RunState(
                state.step(),
                new LearnerState(
                        learner.optimizerSteps(),
                        copied.apply(learner.trained()),
                        copied.apply(learner.firstMoment()),
                        copied.apply(learner.secondMoment()),
                        copied.apply(learner.old()),
                        copied.apply(learner.average())),
                state.policyReleases().stream()
                        .map(one -> new PolicyRelease(one.version(), copied.apply(one.weights()), one.ban()))
                        .toList(),
                state.decisionDigest());
    }

    RunOrder order(RunState from, int steps, @Nullable ValidationPlan validation) {
        return new RunOrder("run", from, steps, Optional.ofNullable(validation));
    }

    public DevicePool devicePool(int rolloutDevices, int trainerDevices) {
        return devicePool(rolloutDevices, trainerDevices, _ -> FaultyDevice.Happening.WELL);
    }

    /** The device slots rollout-0, rollout-1 and so on, trainer-0 and so on, and reward-0. */
    DevicePool devicePool(int rolloutDevices, int trainerDevices, FaultyDevice.Plan<Unit> faults) {
        return devicePool(rolloutDevices, trainerDevices, faults, devices.reward(9));
    }

    /** @param scorer behind reward-0 */
    DevicePool devicePool(
            int rolloutDevices,
            int trainerDevices,
            FaultyDevice.Plan<Unit> faults,
            Device<ScoreUnit, ScoreOutcome> scorer) {
        List<DeviceSlot<RolloutUnit, RolloutResult>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            rollout.add(new DeviceSlot<>(
                    "rollout-" + i, () -> new FaultyDevice<>(devices.rollout(), store, faults::happening)));
        }
        List<DeviceSlot<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            trainer.add(new DeviceSlot<>(
                    "trainer-" + i, () -> new FaultyDevice<>(devices.trainer(), store, faults::happening)));
        }
        DeviceSlot<ScoreUnit, ScoreOutcome> reward =
                new DeviceSlot<>("reward-0", () -> new FaultyDevice<>(scorer, store, faults::happening));
        return new DevicePool(rollout, List.of(reward), trainer);
    }

    <E extends RunEvent> List<E> heard(Class<E> type) {
        return heard.stream().filter(type::isInstance).map(type::cast).toList();
    }
}
