package darkroom.actors.run;

import static java.util.Objects.requireNonNull;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.Closeable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.AbstractScheduler;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;
import org.apache.pekko.event.LoggingAdapter;
import org.jspecify.annotations.Nullable;
import scala.Function0;
import scala.concurrent.BlockContext;
import scala.concurrent.BlockContext$;
import scala.concurrent.CanAwait;
import scala.concurrent.ExecutionContext;
import scala.concurrent.duration.FiniteDuration;

/**
 * An actor system whose mailboxes and timers are run by one thread, the one that created it: a generator keyed by the seed
 * picks which of the runnable mailboxes is next, and time passes only when nothing is runnable. Two worlds of one seed do
 * the same things in the same order at the same times.
 *
 * <p>A task from another thread breaks that: it is refused, and so is {@link #close}.
 */
public final class SimulatedWorld extends AbstractExecutorService implements AutoCloseable {
    private static final ThreadLocal<@Nullable SimulatedWorld> CURRENT = new ThreadLocal<>();
    private static final String CONFIG = """
        pekko {
          loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off
          loggers = ["org.apache.pekko.event.Logging$StandardOutLogger"], use-slf4j = off
          scheduler.implementation = "darkroom.actors.run.SimulatedWorld$VirtualScheduler"
          actor {
            provider = local
            one-thread {
              type = Dispatcher, executor = "darkroom.actors.run.SimulatedWorld$OneThread", throughput = 1
              shutdown-timeout = 1s
            }
            default-dispatcher = ${pekko.actor.one-thread}
            internal-dispatcher = ${pekko.actor.one-thread}
            default-blocking-io-dispatcher = ${pekko.actor.one-thread}
          }
          jvm-shutdown-hooks = off
          coordinated-shutdown.run-by-jvm-shutdown-hook = off
        }
        """;

    private final Thread owner = Thread.currentThread();
    private final SplittableRandom order;
    private final SplittableRandom chance;
    private final List<Runnable> runnable = new ArrayList<>();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private final ActorSystem<Void> system;
    private long nowNanos;
    private long timersMade;
    private long steps;
    private int watchers;
    private final AtomicInteger foreign = new AtomicInteger();
    private boolean shutdown;

    public SimulatedWorld(long seed) {
        if (CURRENT.get() != null) {
            throw new IllegalStateException("this thread has a world; close it first");
        }
        CURRENT.set(this);
        SplittableRandom random = new SplittableRandom(seed);
        order = random.split();
        chance = random.split();
        seedThreadLocalRandom(seed);
        Config config = ConfigFactory.parseString(CONFIG)
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        system = neverParking(() -> ActorSystem.create(Behaviors.empty(), "simulated", config));
        settle();
    }

    public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
        return system.systemActorOf(behavior, name, Props.empty());
    }

    /** Returns a flag that becomes true when the actor has ended. */
    public AtomicBoolean gone(ActorRef<?> actor) {
        AtomicBoolean gone = new AtomicBoolean();
        Behavior<String> watcher = Behaviors.setup(context -> {
            context.watchWith(actor, "gone");
            return Behaviors.receiveMessage(_ -> {
                gone.set(true);
                return Behaviors.stopped();
            });
        });
        spawn(watcher, "watcher-" + ++watchers);
        return gone;
    }

    /** Returns the generator for random events, keyed by the seed. */
    public SplittableRandom chance() {
        return chance;
    }

    public Duration now() {
        return Duration.ofNanos(nowNanos);
    }

    InstantSource clock() {
        return () -> Instant.EPOCH.plusNanos(nowNanos);
    }

    /** Returns the number of mailbox runs so far. */
    long steps() {
        return steps;
    }

    /** Runs everything that can run without time passing. */
    public void settle() {
        neverParking(() -> {
            while (!runnable.isEmpty()) {
                step();
            }
            return "settled";
        });
    }

    /** Lets time pass. */
    public void pass(Duration time) {
        runUntil(() -> false, time);
    }

    /** Lets time pass until the condition holds, or until the limit; returns whether it holds. */
    public boolean runUntil(BooleanSupplier condition, Duration atMost) {
        long end = nowNanos + atMost.toNanos();
        settle();
        while (!condition.getAsBoolean()) {
            Timer next = timers.peek();
            if (next == null || next.atNanos > end) {
                nowNanos = end;
                return condition.getAsBoolean();
            }
            timers.remove();
            nowNanos = Math.max(nowNanos, next.atNanos);
            fire(next);
            settle();
        }
        return true;
    }

    public void after(Duration delay, Runnable task) {
        arm(delay.toNanos(), 0, task, Runnable::run);
    }

    /** Returns an executor that delays every task by a random time, at most {@code atMost}. */
    Executor late(Duration atMost) {
        return task -> after(Duration.ofNanos(chance.nextLong(1 + atMost.toNanos())), task);
    }

    private void step() {
        int next = order.nextInt(runnable.size());
        Runnable task = runnable.get(next);
        runnable.set(next, runnable.getLast());
        runnable.removeLast();
        steps++;
        task.run();
    }

    @Override
    public void execute(Runnable task) {
        if (Thread.currentThread() == owner) {
            runnable.add(task);
        } else {
            foreign.incrementAndGet();
            throw new IllegalStateException(Thread.currentThread() + " has no business in a world of one thread");
        }
    }

    /** Runs the queued tasks before work that waits on this thread: Pekko waits for some of its own actors. */
    private <R> R neverParking(Supplier<R> work) {
        BlockContext context = new BlockContext() {
            @Override
            public <X> X blockOn(Function0<X> awaited, CanAwait permission) {
                while (!runnable.isEmpty()) {
                    step();
                }
                return awaited.apply();
            }
        };
        return BlockContext$.MODULE$.withBlockContext(context, work::get);
    }

    /** Seeds the generator of actors' uids, which determine the order in which an actor's watchers are notified of its end. */
    private static void seedThreadLocalRandom(long seed) {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            VarHandle own = MethodHandles.privateLookupIn(Thread.class, lookup)
                    .findVarHandle(Thread.class, "threadLocalRandomSeed", long.class);
            VarHandle seeder = MethodHandles.privateLookupIn(ThreadLocalRandom.class, lookup)
                    .findStaticVarHandle(ThreadLocalRandom.class, "seeder", AtomicLong.class);
            ThreadLocalRandom.current();
            own.set(Thread.currentThread(), seed * 0x9E3779B97F4A7C15L + 1);
            ((AtomicLong) seeder.get()).set(seed);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("run with --add-opens java.base/java.lang and java.util.concurrent", e);
        }
    }

    /** Closes the world; further calls have no effect. */
    @Override
    public void close() {
        if (CURRENT.get() != this) {
            return;
        }
        system.terminate();
        pass(Duration.ofSeconds(10));
        CURRENT.remove();
        if (foreign.get() > 0) {
            throw new IllegalStateException(foreign + " tasks came from other threads");
        }
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }

    private static SimulatedWorld current() {
        return requireNonNull(CURRENT.get(), "no world on this thread");
    }

    /** A timer; timers of one time fire in the order in which they were created. */
    private record Timer(long atNanos, long number, long everyNanos, Runnable task, Executor executor, Handle handle)
            implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private static final class Handle implements Cancellable {
        private boolean over;

        @Override
        public boolean cancel() {
            boolean canceled = !over;
            over = true;
            return canceled;
        }

        @Override
        public boolean isCancelled() {
            return over;
        }
    }

    private Cancellable arm(long delayNanos, long everyNanos, Runnable task, Executor executor) {
        Handle handle = new Handle();
        long atNanos = nowNanos + Math.max(0, delayNanos);
        timers.add(new Timer(atNanos, timersMade++, everyNanos, task, executor, handle));
        return handle;
    }

    private void fire(Timer timer) {
        if (timer.handle.over) {
            return;
        }
        if (timer.everyNanos > 0) {
            long nextNanos = timer.atNanos + timer.everyNanos;
            timers.add(new Timer(nextNanos, timersMade++, timer.everyNanos, timer.task, timer.executor, timer.handle));
        } else {
            timer.handle.over = true;
        }
        timer.executor.execute(timer.task);
    }

    /** Created by Pekko, by name. */
    public static final class VirtualScheduler extends AbstractScheduler implements Closeable {
        private final SimulatedWorld world = current();

        public VirtualScheduler(Config config, LoggingAdapter log, ThreadFactory threads) {}

        @Override
        public Cancellable scheduleOnce(FiniteDuration delay, Runnable task, ExecutionContext executor) {
            return world.arm(delay.toNanos(), 0, task, executor::execute);
        }

        @Override
        @SuppressWarnings("deprecation") // Pekko implements its fixed delays and rates with it
        public Cancellable schedule(
                FiniteDuration delay, FiniteDuration interval, Runnable task, ExecutionContext executor) {
            return world.arm(delay.toNanos(), interval.toNanos(), task, executor::execute);
        }

        @Override
        public double maxFrequency() {
            return 1e6;
        }

        @Override
        public void close() {}
    }

    /** Created by Pekko, by name. */
    public static final class OneThread extends ExecutorServiceConfigurator {
        public OneThread(Config config, DispatcherPrerequisites prerequisites) {
            super(config, prerequisites);
        }

        @Override
        public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threads) {
            return SimulatedWorld::current;
        }
    }
}
