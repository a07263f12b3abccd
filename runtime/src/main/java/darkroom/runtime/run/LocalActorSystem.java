package darkroom.runtime.run;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.run.RunGuardian;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.actors.workqueue.DevicePool;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.models.PolicyModel;
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

/** One actor system in this process with its CPU devices and scorers; offers the {@link RunGuardian} as blocking calls. */
public final class LocalActorSystem implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalActorSystem.class);
    private static final int TERMINATION_SECONDS_MAX = 30;

    public static final String SYSTEM = "darkroom";

    private final RunEnvironment environment;
    private final ActorSystem<RunGuardian.Command> system;
    private final AtomicInteger questions = new AtomicInteger();

    /**
     * Creates an actor system.
     *
     * @param policy the model of rollout and trainer devices
     * @param scorers stay open until this is closed; closed by the caller
     */
    public LocalActorSystem(
            RunSettings settings, PolicyModel policy, Scorers scorers, RunPorts ports, RunEnvironment environment) {
        this(settings, policy, scorers, ports, environment, ConfigFactory.empty());
    }

    /**
     * Creates an actor system.
     *
     * @param pekko configuration in addition to that of the environment: a ledger's journal
     */
    LocalActorSystem(
            RunSettings settings,
            PolicyModel policy,
            Scorers scorers,
            RunPorts ports,
            RunEnvironment environment,
            Config pekko) {
        this(
                settings,
                DevicePools.of(
                        settings,
                        policy,
                        environment.rolloutDevices(),
                        environment.trainerDevices(),
                        scorers.deviceSlots(ports.store()),
                        ports.plane()),
                ports,
                environment,
                pekko);
    }

    /**
     * Creates an actor system.
     *
     * @param devicePool the devices of this process
     */
    LocalActorSystem(RunSettings settings, DevicePool devicePool, RunPorts ports, RunEnvironment environment) {
        this(settings, devicePool, ports, environment, ConfigFactory.empty());
    }

    /**
     * Creates an actor system.
     *
     * @param pekko configuration in addition to that of the environment: a ledger's journal
     */
    public LocalActorSystem(
            RunSettings settings, DevicePool devicePool, RunPorts ports, RunEnvironment environment, Config pekko) {
        this.environment = environment;
        this.system = ActorSystem.create(
                RunGuardian.create(settings, ports), SYSTEM, pekko.withFallback(environment.pekko()));
        system.tell(new RunGuardian.Offer("local", devicePool));
        environment.open(system);
    }

    /** Runs the order and waits for the end. */
    public RunEvent.Ended run(RunOrder order) throws InterruptedException {
        return ask(replyTo -> new RunGuardian.Start(order, replyTo));
    }

    /** Generates and scores the images of an evaluation and waits for the end. By then the listener has seen the images. */
    public RunEvent.Evaluated evaluate(EvaluationRequest request) throws InterruptedException {
        return ask(replyTo -> new RunGuardian.Evaluate(request, replyTo));
    }

    /** Ends the run after the step in progress. */
    void finishStep() {
        system.tell(new RunGuardian.FinishStep());
    }

    /** Waits for the one answer, or for the end of the actor system. Every wait below it has its own limit. */
    private <T> T ask(Function<ActorRef<T>, RunGuardian.Command> question) throws InterruptedException {
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
            throw new IllegalStateException("the actor system gave no answer: " + ErrorReason.of(e), e);
        }
    }

    @Override
    public void close() {
        environment.dismiss();
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
