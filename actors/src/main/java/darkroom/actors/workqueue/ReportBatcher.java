package darkroom.actors.workqueue;

import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
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
 * Batches the reports of one node's workers to a queue on another node: a message costs both nodes some hundred
 * microseconds of processor time, whatever its contents.
 *
 * <ul>
 *   <li><b>RB-1</b> Every report is sent once, in the order in which it was received.
 *   <li><b>RB-2</b> Results and failures are sent as soon as no further report waits; heartbeats wait for others, at most a
 *       {@value #BEAT_PARTS}th of {@code limits.heartbeat-every}.
 *   <li><b>RB-3</b> A message has at most {@value #WORDS_MAX} reports and {@code WorkQueue.UNITS_PER_MESSAGE_MAX} results,
 *       or a single report.
 * </ul>
 */
public final class ReportBatcher<U extends Unit, R extends Result> extends SwitchBehavior<ReportBatcher.Command<U, R>> {
    public static final int BEAT_PARTS = 5;
    static final int WORDS_MAX = 128;

    /** Messages to a report batcher. */
    sealed interface Command<U extends Unit, R extends Result> permits WorkQueue.WorkerReport, Leave {}

    private record Leave<U extends Unit, R extends Result>() implements Command<U, R> {}

    private final ActorContext<Command<U, R>> context;
    private final TimerScheduler<Command<U, R>> timers;
    private final ActorRef<WorkQueue.Command<U, R>> queue;
    private final Duration beatsWait;
    private final List<WorkQueue.WorkerReport<U, R>> taken = new ArrayList<>();
    private boolean leaving;

    private ReportBatcher(
            ActorContext<Command<U, R>> context,
            TimerScheduler<Command<U, R>> timers,
            ActorRef<WorkQueue.Command<U, R>> queue,
            Duration beatsWait) {
        this.context = context;
        this.timers = timers;
        this.queue = queue;
        this.beatsWait = beatsWait;
    }

    /** @param queue on another node */
    static <U extends Unit, R extends Result> Behavior<Command<U, R>> create(
            ActorRef<WorkQueue.Command<U, R>> queue, LimitSettings limits) {
        Duration beatsWait = limits.heartbeatEvery().dividedBy(BEAT_PARTS);
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new ReportBatcher<>(context, timers, queue, beatsWait)));
    }

    /**
     * Returns the posts of a device pool that works for queues on another node, with their report batchers as children of
     * {@code context}.
     */
    public static List<WorkerSupervisor.Post<?, ?>> posts(
            DevicePool devicePool, WorkQueues queues, LimitSettings limits, ActorContext<?> context) {
        return devicePool.posts(
                context.spawnAnonymous(create(queues.rollout(), limits)),
                context.spawnAnonymous(create(queues.score(), limits)),
                context.spawnAnonymous(create(queues.train(), limits)));
    }

    @Override
    public Behavior<Command<U, R>> onMessage(Command<U, R> command) {
        switch (command) {
            case WorkQueue.Heartbeat<U, R> beat -> {
                if (taken.isEmpty()) {
                    timers.startSingleTimer(new Leave<>(), beatsWait);
                }
                taken.add(beat);
            }
            case WorkQueue.WorkerReport<U, R> word -> {
                taken.add(word);
                if (!leaving) {
                    leaving = true;
                    context.getSelf().tell(new Leave<>()); // after waiting reports: RB-2
                }
            }
            case Leave<U, R>() -> bring();
        }
        return this;
    }

    @Override
    public Behavior<Command<U, R>> onSignal(Signal signal) {
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
            int more = taken.get(i) instanceof WorkQueue.Finished<U, R> finished
                    ? finished.results().size()
                    : 0;
            if (i > from && (i - from == WORDS_MAX || results + more > WorkQueue.UNITS_PER_MESSAGE_MAX)) { // RB-3
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

    private void send(List<WorkQueue.WorkerReport<U, R>> words) {
        queue.tell(words.size() == 1 ? words.getFirst() : new WorkQueue.WorkerReports<>(words));
    }
}
