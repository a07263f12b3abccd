package darkroom.runtime;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import darkroom.actors.Crew;
import darkroom.actors.EvaluationRequest;
import darkroom.actors.RunEvent;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.Studio;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.EmbeddedPolicy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One actor system in this process with its CPU devices and scorers: a {@link Studio} that can be called from a thread. */
final class LocalStudio implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalStudio.class);
    private static final int TERMINATION_SECONDS_MAX = 30;

    static final String SYSTEM = "darkroom";

    private final Ground ground;
    private final ActorSystem<Studio.Command> system;
    private final AtomicInteger questions = new AtomicInteger();

    /**
     * @param policy what rollout and trainer devices compute
     * @param scorers stay open until this is closed; closed by the caller
     */
    LocalStudio(RunSettings settings, EmbeddedPolicy policy, Scorers scorers, RunPorts ports, Ground ground) {
        this(settings, policy, scorers, ports, ground, ConfigFactory.empty());
    }

    /** @param pekko what the actor system is started with besides what the ground says: a ledger's journal */
    LocalStudio(
            RunSettings settings, EmbeddedPolicy policy, Scorers scorers, RunPorts ports, Ground ground, Config pekko) {
        this(
                settings,
                Crews.of(
                        settings,
                        policy,
                        ground.rolloutDevices(),
                        ground.trainerDevices(),
                        scorers.seats(ports.store()),
                        ports.plane()),
                ports,
                ground,
                pekko);
    }

    /** @param crew the devices of this process */
    LocalStudio(RunSettings settings, Crew crew, RunPorts ports, Ground ground) {
        this(settings, crew, ports, ground, ConfigFactory.empty());
    }

    /** @param pekko what the actor system is started with besides what the ground says: a ledger's journal */
    LocalStudio(RunSettings settings, Crew crew, RunPorts ports, Ground ground, Config pekko) {
        this.ground = ground;
        this.system = ActorSystem.create(Studio.create(settings, ports), SYSTEM, pekko.withFallback(ground.pekko()));
        system.tell(new Studio.Offer("local", crew));
        ground.open(system);
    }

    /** Runs, and waits for the end. */
    RunEvent.Ended run(RunOrder order) throws InterruptedException {
        return ask(replyTo -> new Studio.Start(order, replyTo));
    }

    /** Draws and scores, and waits for the end. The listener has seen the images. */
    RunEvent.Evaluated evaluate(EvaluationRequest request) throws InterruptedException {
        return ask(replyTo -> new Studio.Evaluate(request, replyTo));
    }

    /** The run ends after the step in work. */
    void finishStep() {
        system.tell(new Studio.FinishStep());
    }

    /** Waits for the one answer, or for the end of the actor system. Every wait below it has a bound of its own. */
    private <T> T ask(Function<ActorRef<T>, Studio.Command> question) throws InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        ActorRef<T> replyTo = system.systemActorOf(
                Behaviors.receiveMessage(message -> {
                    answer.complete(message);
                    return Behaviors.stopped();
                }),
                "answer-" + questions.incrementAndGet(),
                Props.empty());
        system.getWhenTerminated()
                .whenComplete((done, failure) -> answer.completeExceptionally(
                        new IllegalStateException("the actor system ended before it answered; the log says why")));
        system.tell(question.apply(replyTo));
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the actor system gave no answer", e);
        }
    }

    @Override
    public void close() {
        ground.dismiss();
        system.terminate();
        try {
            system.getWhenTerminated().toCompletableFuture().get(TERMINATION_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("the actor system has not ended within {} s", TERMINATION_SECONDS_MAX);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            LOG.warn("the actor system ended badly", e);
        }
    }
}
