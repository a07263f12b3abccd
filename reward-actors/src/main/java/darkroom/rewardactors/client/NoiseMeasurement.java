package darkroom.rewardactors.client;

import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.rewardactors.protocol.LabelScore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Measures how much the score of one question varies, at one endpoint after the other. Lives for one measurement.
 *
 * <ul>
 *   <li><b>NM-1</b> It answers once, when all endpoints are measured or when it is stopped: then with those that are.
 *   <li><b>NM-2</b> An endpoint that does not report its version is asked the canary once, and is left out.
 * </ul>
 */
final class NoiseMeasurement extends SwitchBehavior<NoiseMeasurement.Command> {
    /** Messages to a measurement. */
    sealed interface Command {}

    /**
     * An endpoint answered the canary.
     *
     * @param reportsVersion whether the server reports its version
     */
    record CanaryAnswered(String name, ScorerAttempt attempt, boolean reportsVersion) implements Command {}

    private record EndpointGone(ActorRef<ScorerEndpoint.Command> endpoint) implements Command {}

    /** Result of the measurement, in the order of the endpoints. */
    record Measured(List<ScorerNoise> noise) {
        Measured {
            noise = List.copyOf(noise);
        }
    }

    private sealed interface Phase {
        /** The server's version is not known yet. */
        record Probing() implements Phase {}

        record OneByOne(int left) implements Phase {}

        record AtOnce(int left) implements Phase {}
    }

    private final ActorContext<Command> context;
    private final int times;
    private final ActorRef<Measured> replyTo;
    private final Queue<ActorRef<ScorerEndpoint.Command>> left;
    private final List<ScorerNoise> measured = new ArrayList<>();
    private final List<Double> scores = new ArrayList<>();
    private Phase phase = new Phase.Probing();
    private @Nullable ActorRef<ScorerEndpoint.Command> current;

    private NoiseMeasurement(
            ActorContext<Command> context,
            Collection<ActorRef<ScorerEndpoint.Command>> endpoints,
            int times,
            ActorRef<Measured> replyTo) {
        this.context = context;
        this.times = times;
        this.replyTo = replyTo;
        this.left = new ArrayDeque<>(endpoints);
    }

    /**
     * Creates a measurement.
     *
     * @param endpoints at least one
     * @param times number of sequential requests at each endpoint, and of concurrent ones; at least 1
     */
    static Behavior<Command> create(
            Collection<ActorRef<ScorerEndpoint.Command>> endpoints, int times, ActorRef<Measured> replyTo) {
        return Behaviors.setup(context -> new NoiseMeasurement(context, endpoints, times, replyTo).next());
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case CanaryAnswered answer -> onCanaryAnswered(answer);
            case EndpointGone(var endpoint) -> endpoint.equals(current) ? next() : this;
        };
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof PostStop) {
            replyTo.tell(new Measured(measured)); // NM-1
        }
        return this;
    }

    private Behavior<Command> next() {
        ActorRef<ScorerEndpoint.Command> endpoint = left.poll();
        current = endpoint;
        if (endpoint == null) {
            return Behaviors.stopped();
        }
        scores.clear();
        phase = new Phase.Probing();
        context.watchWith(endpoint, new EndpointGone(endpoint));
        return ask(1);
    }

    private Behavior<Command> ask(int canaries) {
        if (current != null) {
            for (int i = 0; i < canaries; i++) {
                current.tell(new ScorerEndpoint.AskCanary(context.getSelf()));
            }
        }
        return this;
    }

    private Behavior<Command> onCanaryAnswered(CanaryAnswered answer) {
        if (!(phase instanceof Phase.Probing)
                && answer.attempt() instanceof ScorerAttempt.Succeeded(LabelScore.Believed reading, String _)) {
            scores.add(reading.score());
        }
        switch (phase) {
            case Phase.Probing() -> {
                if (!answer.reportsVersion()) {
                    return next(); // NM-2
                }
                phase = new Phase.OneByOne(times);
                return ask(1);
            }
            case Phase.OneByOne(int open) -> {
                phase = open > 1 ? new Phase.OneByOne(open - 1) : new Phase.AtOnce(times);
                return ask(open > 1 ? 1 : times);
            }
            case Phase.AtOnce(int open) -> {
                if (open > 1) {
                    phase = new Phase.AtOnce(open - 1);
                    return this;
                }
                measured.add(ScorerNoise.of(answer.name(), scores));
                return next();
            }
        }
    }
}
