package darkroom.actors;

import darkroom.config.LimitSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Takes what the workers of one node have to tell a desk on another node, and brings it there in few messages: a message
 * costs both nodes some hundred microseconds of processor time, whatever is in it.
 *
 * <ul>
 *   <li><b>CO-1</b> Everything is brought once, in the order in which it was taken.
 *   <li><b>CO-2</b> Results and failures leave as soon as nothing more is there to be taken; heartbeats wait for others, at most
 *       a {@value #BEAT_PARTS}th of {@code limits.heartbeat-every}.
 *   <li><b>CO-3</b> A message has at most {@value #WORDS_MAX} words and {@code WorkDesk.UNITS_PER_MESSAGE_MAX} results, or a single
 *       word.
 * </ul>
 */
final class Courier<U extends Unit, R extends Result> extends SwitchBehavior<Courier.Command<U, R>> {
    static final int BEAT_PARTS = 5;
    static final int WORDS_MAX = 128;

    /** What a courier takes. */
    sealed interface Command<U extends Unit, R extends Result> permits WorkDesk.Word, Leave {}

    private record Leave<U extends Unit, R extends Result>() implements Command<U, R> {}

    private final ActorContext<Command<U, R>> context;
    private final TimerScheduler<Command<U, R>> timers;
    private final ActorRef<WorkDesk.Command<U, R>> desk;
    private final Duration beatsWait;
    private final List<WorkDesk.Word<U, R>> taken = new ArrayList<>();
    private boolean leaving;

    private Courier(
            ActorContext<Command<U, R>> context,
            TimerScheduler<Command<U, R>> timers,
            ActorRef<WorkDesk.Command<U, R>> desk,
            Duration beatsWait) {
        this.context = context;
        this.timers = timers;
        this.desk = desk;
        this.beatsWait = beatsWait;
    }

    /** @param desk on another node */
    static <U extends Unit, R extends Result> Behavior<Command<U, R>> create(
            ActorRef<WorkDesk.Command<U, R>> desk, LimitSettings limits) {
        Duration beatsWait = limits.heartbeatEvery().dividedBy(BEAT_PARTS);
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new Courier<>(context, timers, desk, beatsWait)));
    }

    /** The posts of a crew that works for desks on another node, and its couriers, as children of {@code context}. */
    static List<NodeWarden.Post<?, ?>> posts(Crew crew, Desks desks, LimitSettings limits, ActorContext<?> context) {
        return crew.posts(
                context.spawnAnonymous(create(desks.draw(), limits)),
                context.spawnAnonymous(create(desks.score(), limits)),
                context.spawnAnonymous(create(desks.train(), limits)));
    }

    @Override
    Behavior<Command<U, R>> onMessage(Command<U, R> command) {
        switch (command) {
            case WorkDesk.Heartbeat<U, R> beat -> {
                if (taken.isEmpty()) {
                    timers.startSingleTimer(new Leave<>(), beatsWait);
                }
                taken.add(beat);
            }
            case WorkDesk.Word<U, R> word -> {
                taken.add(word);
                if (!leaving) {
                    leaving = true;
                    context.getSelf().tell(new Leave<>()); // behind what is there: CO-2
                }
            }
            case Leave<U, R>() -> bring();
        }
        return this;
    }

    @Override
    Behavior<Command<U, R>> onSignal(Signal signal) {
        if (signal instanceof PostStop) {
            bring();
        }
        return this;
    }

    private void bring() {
        leaving = false;
        int from = 0;
        int results = 0;
        for (int i = 0; i < taken.size(); i++) {
            int more = taken.get(i) instanceof WorkDesk.Finished<U, R> finished
                    ? finished.results().size()
                    : 0;
            if (i > from && (i - from == WORDS_MAX || results + more > WorkDesk.UNITS_PER_MESSAGE_MAX)) { // CO-3
                send(taken.subList(from, i));
                from = i;
                results = 0;
            }
            results += more;
        }
        if (from < taken.size()) {
            send(taken.subList(from, taken.size()));
        }
        taken.clear();
    }

    private void send(List<WorkDesk.Word<U, R>> words) {
        desk.tell(words.size() == 1 ? words.getFirst() : new WorkDesk.Words<>(words));
    }
}
