package darkroom.runtime;

import static java.util.Objects.requireNonNull;

import com.typesafe.config.Config;
import darkroom.actors.Crew;
import darkroom.actors.Device;
import darkroom.actors.DeviceSeat;
import darkroom.actors.ImageAddress;
import darkroom.actors.LocalTensorPlane;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.Prompt;
import darkroom.actors.PromptBan;
import darkroom.actors.PromptSource;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.RunState;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreUnit;
import darkroom.actors.SimulatedDevices;
import darkroom.actors.StopWhen;
import darkroom.actors.Studio;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
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

/** A run with simulated devices over a real journal, and a scorer that never says the same twice. */
final class JournaledRun implements AutoCloseable {
    static final int STEPS = 4;
    private static final int PARAMETERS = 16;
    private static final int SECONDS_MAX = 60;

    final Map<ImageAddress, Integer> asked = new ConcurrentHashMap<>();
    final List<RunDigests> digests = new ArrayList<>();
    private final OffHeapTensorStore store = new OffHeapTensorStore("journaled", 1 << 24);
    private final SimulatedDevices devices = new SimulatedDevices(store, PARAMETERS, Runnable::run);
    private final CompletableFuture<RunEvent.Ended> ended = new CompletableFuture<>();
    private final Queue<CompletableFuture<ScoreOutcome>> held = new ConcurrentLinkedQueue<>();
    private final CountDownLatch silence;
    private volatile boolean speaks;
    private final ActorSystem<Studio.Command> system;

    /**
     * Starts at step 0.
     *
     * @param scores what the scorer says
     * @param answers so many, then the scorer falls silent
     */
    JournaledRun(RunJournal journal, Function<ImageAddress, ScoreOutcome> scores, int answers) {
        silence = new CountDownLatch(answers);
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of("rollout.groups-per-step=3", "rollout.images-per-group=4", "training.unit-samples=4"));
        Config pekko = journal.pekko().withFallback(PekkoConfig.alone());
        RunPorts ports = new RunPorts(
                        new Rows(), StopWhen.NEVER, new LocalTensorPlane(store), this::hear, InstantSource.system())
                .with(journal.ledger(() -> {}), List::of);
        system = ActorSystem.create(Studio.create(settings, ports), "journaled", pekko);
        system.tell(new Studio.Offer(
                "here",
                new Crew(
                        List.of(new DeviceSeat<>("rollout-0", devices::rollout)),
                        List.of(new DeviceSeat<>("reward-0", () -> new Scorer(scores))),
                        List.of(new DeviceSeat<>("trainer-0", devices::trainer)))));
        RunOrder order = new RunOrder("run", RunState.fresh(devices.learner(settings.seed())), STEPS, Optional.empty());
        system.tell(new Studio.Start(
                order,
                system.systemActorOf(
                        Behaviors.<RunEvent.Ended>receiveMessage(end -> {
                            ended.complete(end);
                            return Behaviors.stopped();
                        }),
                        "end",
                        Props.empty())));
    }

    /** Says something else each time. */
    static Function<ImageAddress, ScoreOutcome> moody(long seed) {
        SplittableRandom chance = new SplittableRandom(seed);
        return _ -> {
            synchronized (chance) {
                return chance.nextInt(10) == 0
                        ? new ScoreOutcome.Unscored("no mood", 1)
                        : new ScoreOutcome.Scored(chance.nextDouble(), 1, 1, "moody");
            }
        };
    }

    /** Says what is recorded. */
    static Function<ImageAddress, ScoreOutcome> saying(Map<ImageAddress, ScoreOutcome> recorded) {
        return image -> requireNonNull(recorded.get(image), image.toString());
    }

    private void hear(RunEvent event) {
        if (event instanceof RunEvent.StepCommitted committed) {
            digests.add(RunDigests.of(store, committed.state()));
        }
    }

    RunEvent.Ended awaitEnd() throws Exception {
        return ended.get(SECONDS_MAX, TimeUnit.SECONDS);
    }

    /** Waits until the scorer has said all that it says. */
    void awaitSilence() throws Exception {
        if (!silence.await(SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new AssertionError(silence.getCount() + " answers were never asked for");
        }
    }

    /** What the scorer was asked in the meantime is answered, and it says something again. */
    void answerTheRest() {
        speaks = true;
        held.forEach(answer -> answer.complete(new ScoreOutcome.Scored(0.5, 1, 1, "late")));
    }

    /** Ends all actors where they are. */
    void end() {
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
