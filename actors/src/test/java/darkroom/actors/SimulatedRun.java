package darkroom.actors;

import darkroom.config.RunSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A whole run with simulated devices: settings, store, studio, and everything that was heard. */
final class SimulatedRun implements AutoCloseable {
    static final int PARAMETERS = 24;

    final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 26);
    final ExecutorService threads = Executors.newFixedThreadPool(3);
    final SimulatedDevices devices = new SimulatedDevices(store, PARAMETERS, threads);
    final List<RunEvent> heard = new CopyOnWriteArrayList<>();
    final List<RunDigests> digests = new CopyOnWriteArrayList<>();
    final AtomicInteger promptsAlive = new AtomicInteger();
    final RunSettings settings;
    final ActorTestKit kit;
    final ActorRef<Studio.Command> studio;
    final TestProbe<RunEvent.Ended> ended;

    SimulatedRun(ActorTestKit kit, RunSettings settings, StopWhen stopWhen) {
        this.kit = kit;
        this.settings = settings;
        this.ended = kit.createTestProbe();
        RunPorts ports = new RunPorts(new Rows(), stopWhen, store, this::hear, InstantSource.system());
        this.studio = kit.spawn(Studio.create(settings, ports));
    }

    private void hear(RunEvent event) {
        heard.add(event);
        if (event instanceof RunEvent.StepCommitted committed) {
            digests.add(RunDigests.of(store, committed.state()));
        }
    }

    /** Rows are a function of the step and the ban. */
    private final class Rows implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            List<Prompt> prompts = new ArrayList<>();
            for (int row = step * 3; prompts.size() < settings.rollout().groupsPerStep(); row++) {
                if (!ban.bans("row-" + row % 40)) {
                    prompts.add(devices.prompt("row-" + row % 40));
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

    SimulatedRun with(Crew crew) {
        studio.tell(new Studio.Offer("here", crew));
        return this;
    }

    SimulatedRun with(int rolloutDevices, int trainerDevices) {
        return with(crew(rolloutDevices, trainerDevices, _ -> FaultyDevice.Happening.WELL));
    }

    Crew crew(int rolloutDevices, int trainerDevices, FaultyDevice.Plan<Unit> faults) {
        List<DeviceSeat<DrawUnit, Drawn>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            rollout.add(new DeviceSeat<>(
                    "rollout-" + i, () -> new FaultyDevice<>(devices.rollout(), store, faults::happening)));
        }
        List<DeviceSeat<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            trainer.add(new DeviceSeat<>(
                    "trainer-" + i, () -> new FaultyDevice<>(devices.trainer(), store, faults::happening)));
        }
        DeviceSeat<ScoreUnit, ScoreOutcome> reward =
                new DeviceSeat<>("reward-0", () -> new FaultyDevice<>(devices.reward(9), store, faults::happening));
        return new Crew(rollout, List.of(reward), trainer);
    }

    SimulatedRun start(RunState from, int steps, @Nullable ValidationPlan validation) {
        studio.tell(
                new Studio.Start(new RunOrder("run", from, steps, Optional.ofNullable(validation)), ended.getRef()));
        return this;
    }

    SimulatedRun start(int steps) {
        return start(RunState.fresh(devices.learner(settings.seed())), steps, null);
    }

    RunEvent.Ended awaitEnd() {
        return ended.expectMessageClass(RunEvent.Ended.class, Duration.ofSeconds(30));
    }

    <E extends RunEvent> List<E> heard(Class<E> type) {
        return heard.stream().filter(type::isInstance).map(type::cast).toList();
    }

    @Override
    public void close() {
        kit.stop(studio);
        threads.shutdownNow();
    }
}
