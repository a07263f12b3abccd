package darkroom.runtime.run;

import static java.util.Objects.requireNonNull;

import com.typesafe.config.Config;
import darkroom.actors.device.Device;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.run.RunGuardian;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.RunJournal;
import darkroom.tensors.LocalTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A run with simulated devices over a real journal, and a scorer that never gives the same score twice. */
public final class JournaledRun implements AutoCloseable {
    public static final int STEPS = 4;
    private static final int PARAMETERS = 16;
    private static final int SECONDS_MAX = 60;

    public final Map<ImageAddress, Integer> asked = new ConcurrentHashMap<>();
    public final List<RunDigests> digests = new ArrayList<>();
    private final OffHeapTensorStore store = new OffHeapTensorStore("journaled", 1 << 24);
    private final SimulatedDevices devices = new SimulatedDevices(store, PARAMETERS, Runnable::run);
    private final CompletableFuture<RunEvent.Ended> ended = new CompletableFuture<>();
    private final Queue<CompletableFuture<ScoreOutcome>> held = new ConcurrentLinkedQueue<>();
    private final CountDownLatch silence;
    private volatile boolean speaks;
    private final ActorSystem<RunGuardian.Command> system;

    /**
     * Starts at step 0.
     *
     * @param scores answers of the scorer
     * @param answers number of answers after which the scorer falls silent
     */
    public JournaledRun(RunJournal journal, Function<ImageAddress, ScoreOutcome> scores, int answers) {
        silence = new CountDownLatch(answers);
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of("rollout.groups-per-step=3", "rollout.images-per-group=4", "training.unit-samples=4"));
        Config pekko = journal.pekko().withFallback(PekkoConfig.alone());
        RunPorts ports = new RunPorts(
                        new Rows(), StopWhen.NEVER, new LocalTensorPlane(store), this::hear, InstantSource.system())
                .with(journal.ledger(() -> {}), List::of);
        system = ActorSystem.create(RunGuardian.create(settings, ports), "journaled", pekko);
        system.tell(new RunGuardian.Offer(
                "here",
                new DevicePool(
                        List.of(new DeviceSlot<>("rollout-0", devices::rollout)),
                        List.of(new DeviceSlot<>("reward-0", () -> new Scorer(scores))),
                        List.of(new DeviceSlot<>("trainer-0", devices::trainer)))));
        RunOrder order = new RunOrder("run", RunState.fresh(devices.learner(settings.seed())), STEPS, Optional.empty());
        system.tell(new RunGuardian.Start(
                order,
                system.systemActorOf(
                        Behaviors.<RunEvent.Ended>receiveMessage(end -> {
                            ended.complete(end);
                            return Behaviors.stopped();
                        }),
                        "end",
                        Props.empty())));
    }

    /** Returns a scorer with a different answer each time. */
    public static Function<ImageAddress, ScoreOutcome> moody(long seed) {
        SplittableRandom chance = new SplittableRandom(seed);
        return _ -> {
            synchronized (chance) {
                return chance.nextInt(10) == 0
                        ? new ScoreOutcome.Unscored("no mood", 1)
                        : new ScoreOutcome.Scored(chance.nextDouble(), 1, 1, "moody");
            }
        };
    }

    /** Returns a scorer with the recorded answers. */
    public static Function<ImageAddress, ScoreOutcome> saying(Map<ImageAddress, ScoreOutcome> recorded) {
        return image -> requireNonNull(recorded.get(image), image.toString());
    }

    private void hear(RunEvent event) {
        if (event instanceof RunEvent.StepCommitted committed) {
            digests.add(RunDigests.of(store, committed.state()));
        }
    }

    public RunEvent.Ended awaitEnd() throws Exception {
        return ended.get(SECONDS_MAX, TimeUnit.SECONDS);
    }

    /** Waits until the scorer has given all its answers. */
    public void awaitSilence() throws Exception {
        if (!silence.await(SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new AssertionError(silence.getCount() + " answers were never asked for");
        }
    }

    /** Answers the questions asked during the silence, and lets the scorer answer again. */
    public void answerTheRest() {
        speaks = true;
        held.forEach(answer -> answer.complete(new ScoreOutcome.Scored(0.5, 1, 1, "late")));
    }

    /** Stops all actors at once. */
    public void end() {
        system.terminate();
        system.getWhenTerminated()
                .toCompletableFuture()
                .orTimeout(SECONDS_MAX, TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        end();
    }

    private final class Scorer implements Device<ScoreUnit, ScoreOutcome> {
        private final Function<ImageAddress, ScoreOutcome> scores;

        Scorer(Function<ImageAddress, ScoreOutcome> scores) {
            this.scores = scores;
        }

        @Override
        public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
            if (silence.getCount() == 0 && !speaks) {
                CompletableFuture<ScoreOutcome> answer = new CompletableFuture<>();
                held.add(answer);
                return answer;
            }
            asked.merge(unit.address(), 1, Integer::sum);
            ScoreOutcome outcome = scores.apply(unit.address());
            silence.countDown();
            return CompletableFuture.completedFuture(outcome);
        }

        @Override
        public int capacity() {
            return 64;
        }

        @Override
        public void close() {}
    }

    private final class Rows implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            return List.of(devices.prompt("row-" + step), devices.prompt("a-" + step), devices.prompt("b-" + step));
        }

        @Override
        public void release(List<Prompt> prompts) {
            prompts.forEach(prompt -> store.release(prompt.source()));
        }
    }
}
