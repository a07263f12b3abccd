package darkroom.runtime.faults;

import darkroom.actors.device.Device;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerException;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.FaultSettings;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.rewardactors.simulation.ScorerProxy;
import darkroom.runtime.base.RunJournal;
import darkroom.tensors.NetworkFaults;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.BehaviorInterceptor;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The faults of one process. It wraps every point at which a fault may be injected, is inactive until it receives an
 * order, and counts how often each fault has had an effect. If faults are not enabled, nothing is wrapped: the original
 * objects are returned.
 *
 * <p>The targets of a fault are random, from a generator of the fault's own: it never affects a result.
 */
public final class NodeFaults implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeFaults.class);
    private static final int FAULTS_MAX = 10_000;
    private static final int KILLED = 137;
    private static final long FILE_BYTES_MAX = 1 << 20;
    private static final long LARGE_TENSOR_CHUNK = 32 << 10;
    private static final int ANSWERED_FIRST_MILLIS = 100;

    /** Kinds that affect every arriving tensor, including those that could be read in place. */
    private static final Set<FaultKind> TENSOR_KINDS = EnumSet.of(
            FaultKind.PARTITION,
            FaultKind.TENSOR_LOSS,
            FaultKind.TENSOR_CORRUPT,
            FaultKind.TENSOR_DUPLICATE,
            FaultKind.TENSOR_DELAY,
            FaultKind.KILL_AT);

    /** The faults of a process that accepts no orders. */
    public static final NodeFaults NONE = new NodeFaults(false);

    private final boolean enabled;
    private final List<Active> faults = new CopyOnWriteArrayList<>();
    private final AtomicInteger count = new AtomicInteger();
    private final List<ScorerProxy> proxies = new CopyOnWriteArrayList<>();
    private final LongSupplier nanos = System::nanoTime;
    private volatile @Nullable ActorSystem<?> system;
    private volatile @Nullable Path directory;

    /**
     * A fault that was ordered.
     *
     * @param id in this process, from 1
     * @param hits how often it has had an effect
     * @param active whether it may have more
     */
    public record Seen(int id, FaultKind kind, String what, long hits, boolean active) {}

    /** One fault. */
    private static final class Active {
        private final int id;
        private final FaultOrder order;
        private final long untilNanos;
        private final AtomicLong hits = new AtomicLong();
        private final RandomGenerator chance;
        private volatile boolean healed;
        private volatile @Nullable ArteryCut cut;

        Active(int id, FaultOrder order, long untilNanos) {
            this.id = id;
            this.order = order;
            this.untilNanos = untilNanos;
            this.chance = RandomGeneratorFactory.of("L64X128MixRandom").create(id);
        }

        boolean isActive(long now) {
            return !healed
                    && (order.forMillis() == 0 || now < untilNanos)
                    && (order.count() == 0 || hits.get() < order.count());
        }

        boolean isPicked() {
            synchronized (chance) {
                return chance.nextDouble() < order.share();
            }
        }
    }

    private NodeFaults(boolean enabled) {
        this.enabled = enabled;
    }

    public static NodeFaults of(FaultSettings settings) {
        return settings.enabled() ? new NodeFaults(true) : NONE;
    }

    public boolean enabled() {
        return enabled;
    }

    /** Sets the actor system whose messages are lost from now on. */
    public void system(ActorSystem<?> now) {
        system = now;
    }

    /** Sets the directory of the checkpoints, in a control node. */
    public void directory(Path run) {
        directory = run;
    }

    /**
     * Injects a fault.
     *
     * @return number of the fault here
     * @throws IllegalArgumentException if it cannot happen to this process
     */
    public synchronized int inject(FaultOrder order) throws IOException {
        if (!enabled) {
            throw new IllegalArgumentException("this node obeys no orders: faults.enabled=false");
        }
        if (order.kind().scope() != FaultKind.Scope.NODE) {
            throw new IllegalArgumentException(
                    order.kind() + " happens to several processes: that is for darkroom chaos");
        }
        if (faults.size() >= FAULTS_MAX) {
            throw new IllegalArgumentException(FAULTS_MAX + " faults are enough for one process");
        }
        long now = nanos.getAsLong();
        Active fault =
                new Active(count.incrementAndGet(), order, now + TimeUnit.MILLISECONDS.toNanos(order.forMillis()));
        LOG.warn("fault {} is injected: {}", fault.id, order.text());
        faults.add(fault);
        begin(fault);
        return fault.id;
    }

    private void begin(Active fault) throws IOException {
        FaultOrder order = fault.order;
        switch (order.kind()) {
            case KILL -> shell("sleep 0.1; kill -KILL %d".formatted(pid()));
            case TERM -> shell("sleep 0.1; kill -TERM %d".formatted(pid()));
            case STOP, PAUSE ->
                shell("sleep 0.1; kill -STOP %d; sleep %s; kill -CONT %d"
                        .formatted(pid(), order.forMillis() / 1000.0, pid()));
            case PARTITION, ARTERY_CUT -> cut(fault);
            case DISK_FULL -> {
                limitFiles(Long.toString(FILE_BYTES_MAX));
                after(order.forMillis(), () -> heal(fault));
            }
            case TORN_CHECKPOINT -> tear(fault);
            default -> {}
        }
    }

    private static long pid() {
        return ProcessHandle.current().pid();
    }

    private static void shell(String script) throws IOException {
        new ProcessBuilder("sh", "-c", script)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void after(long millis, Runnable then) {
        if (millis > 0) {
            CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(then);
        }
    }

    private void cut(Active fault) {
        ActorSystem<?> now = system;
        if (now == null) {
            throw new IllegalArgumentException("this node is in no cluster yet");
        }
        ArteryCut cut = ArteryCut.to(now, fault.order.direction(), fault.order.peer());
        fault.cut = cut;
        fault.hits.addAndGet(cut.cut());
        after(fault.order.forMillis(), () -> heal(fault));
    }

    /** Sets the soft limit of the process: writes beyond it fail as on a full disk. */
    private static void limitFiles(String bytes) throws IOException {
        Process prlimit = new ProcessBuilder("prlimit", "--pid", Long.toString(pid()), "--fsize=" + bytes + ":")
                .redirectErrorStream(true)
                .start();
        try {
            String said = new String(prlimit.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            if (prlimit.waitFor() != 0) {
                throw new IllegalArgumentException("disk-full needs prlimit of util-linux: " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void tear(Active fault) throws IOException {
        Path run = directory;
        if (run == null) {
            throw new IllegalArgumentException("torn-checkpoint is for a control node");
        }
        List<Path> newestFirst = new Checkpoints(run.resolve("checkpoints")).list();
        if (newestFirst.isEmpty()) {
            throw new IllegalArgumentException("there is no checkpoint to tear yet");
        }
        try (FileChannel file =
                FileChannel.open(newestFirst.getFirst().resolve("learner.safetensors"), StandardOpenOption.WRITE)) {
            file.truncate(file.size() / 2);
        }
        LOG.warn("{} is torn", newestFirst.getFirst());
        fault.hits.incrementAndGet();
        after(ANSWERED_FIRST_MILLIS, () -> Runtime.getRuntime().halt(KILLED));
    }

    /** Ends one fault, or all. A stopped process resumes by itself when its time has passed. */
    public void heal(int id) {
        faults.stream().filter(fault -> id == 0 || fault.id == id).forEach(this::heal);
    }

    private void heal(Active fault) {
        if (fault.healed) {
            return;
        }
        fault.healed = true;
        ArteryCut cut = fault.cut;
        if (cut != null) {
            cut.heal();
        }
        if (fault.order.kind() == FaultKind.DISK_FULL) {
            try {
                limitFiles("unlimited");
            } catch (IOException | IllegalArgumentException e) {
                LOG.error("the limit of files could not be lifted", e);
            }
        }
        LOG.warn("fault {} has ended: {}, {} effects", fault.id, fault.order.text(), fault.hits);
    }

    /** Returns all ordered faults, in order. */
    public List<Seen> list() {
        long now = nanos.getAsLong();
        return faults.stream()
                .map(fault -> new Seen(
                        fault.id, fault.order.kind(), fault.order.text(), fault.hits.get(), fault.isActive(now)))
                .toList();
    }

    private Optional<Active> active(FaultKind kind) {
        if (faults.isEmpty()) {
            return Optional.empty();
        }
        long now = nanos.getAsLong();
        for (Active fault : faults) {
            if (fault.order.kind() == kind && fault.isActive(now)) {
                return Optional.of(fault);
            }
        }
        return Optional.empty();
    }

    /** Marks a moment: the process dies now if a fault orders it. */
    public void reached(FaultMoment moment) {
        active(FaultKind.KILL_AT)
                .filter(fault -> fault.order.moment().filter(moment::equals).isPresent())
                .ifPresent(_ -> {
                    System.err.println("darkroom: killed at " + moment + ", as ordered");
                    Runtime.getRuntime().halt(KILLED);
                });
    }

    /** Counts a failed write. */
    public void diskRefused() {
        active(FaultKind.DISK_FULL).ifPresent(fault -> fault.hits.incrementAndGet());
    }

    /** Receives the events of a control node, before all other listeners. */
    public void heard(RunEvent event) {
        if (event instanceof RunEvent.StepCommitted) {
            reached(FaultMoment.COMMITTED);
        }
    }

    /** Returns the clock, which may jump. */
    public InstantSource clock(InstantSource clock) {
        return enabled ? () -> jumped(clock.instant()) : clock;
    }

    private Instant jumped(Instant now) {
        return active(FaultKind.CLOCK_JUMP)
                .map(fault -> {
                    fault.hits.incrementAndGet();
                    return now.plusMillis(fault.order.delayMillis());
                })
                .orElse(now);
    }

    /** Returns the faults that arriving data of the tensor plane meets. */
    public NetworkFaults networkFaults() {
        return enabled ? new NetworkFaultsOfNode() : NetworkFaults.FAULT_FREE;
    }

    private final class NetworkFaultsOfNode implements NetworkFaults {
        @Override
        public Fate fate(String from, long bytes) {
            return NodeFaults.this.fate(from, bytes);
        }

        @Override
        public boolean isFaultFree() {
            return TENSOR_KINDS.stream().noneMatch(kind -> active(kind).isPresent());
        }
    }

    private NetworkFaults.Fate fate(String from, long bytes) {
        if (bytes >= LARGE_TENSOR_CHUNK) {
            reached(FaultMoment.WEIGHTS);
        }
        if (faults.isEmpty()) {
            return NetworkFaults.Fate.DELIVERED;
        }
        Optional<Active> apart = active(FaultKind.PARTITION)
                .filter(fault ->
                        fault.order.direction() != FaultOrder.Direction.OUT && from.contains(fault.order.peer()));
        if (apart.isPresent()) {
            apart.get().hits.incrementAndGet();
            return NetworkFaults.Fate.LOST;
        }
        return picked(FaultKind.TENSOR_LOSS, true)
                .map(_ -> NetworkFaults.Fate.LOST)
                .or(() -> picked(FaultKind.TENSOR_CORRUPT, bytes > 0).map(_ -> NetworkFaults.Fate.CORRUPTED))
                .or(() -> picked(FaultKind.TENSOR_DUPLICATE, true).map(_ -> NetworkFaults.Fate.TWICE))
                .or(() -> picked(FaultKind.TENSOR_DELAY, true).map(_ -> NetworkFaults.Fate.LATE))
                .orElse(NetworkFaults.Fate.DELIVERED);
    }

    private Optional<Active> picked(FaultKind kind, boolean possible) {
        Optional<Active> fault = possible ? active(kind).filter(Active::isPicked) : Optional.empty();
        fault.ifPresent(hit -> hit.hits.incrementAndGet());
        return fault;
    }

    /** Returns the device pool with faults injected. */
    public DevicePool devicePool(DevicePool devicePool) {
        return enabled
                ? new DevicePool(
                        deviceSlots(devicePool.rollout()),
                        deviceSlots(devicePool.reward()),
                        deviceSlots(devicePool.trainer()))
                : devicePool;
    }

    private <U extends Unit, R extends Result> List<DeviceSlot<U, R>> deviceSlots(List<DeviceSlot<U, R>> deviceSlots) {
        return deviceSlots.stream()
                .map(deviceSlot -> new DeviceSlot<U, R>(
                        deviceSlot.name(),
                        () -> new Failing<>(deviceSlot.device().get())))
                .toList();
    }

    private final class Failing<U extends Unit, R extends Result> implements Device<U, R> {
        private final Device<U, R> device;

        Failing(Device<U, R> device) {
            this.device = device;
        }

        @Override
        public CompletionStage<R> perform(U unit) {
            Optional<Active> crash = active(FaultKind.CRASH_ACTOR);
            if (crash.isPresent()) {
                crash.get().hits.incrementAndGet();
                throw new AssertionError("injected crash before " + unit.name());
            }
            Optional<Active> hang = active(FaultKind.HANG_DEVICE);
            if (hang.isPresent()) {
                hang.get().hits.incrementAndGet();
                return new CompletableFuture<>();
            }
            Optional<Active> slow = active(FaultKind.SLOW_DEVICE);
            if (slow.isEmpty()) {
                return device.perform(unit);
            }
            slow.get().hits.incrementAndGet();
            Executor later = CompletableFuture.delayedExecutor(slow.get().order.delayMillis(), TimeUnit.MILLISECONDS);
            return device.perform(unit).thenApplyAsync(result -> result, later);
        }

        @Override
        public int capacity() {
            return device.capacity();
        }

        @Override
        public void close() {
            device.close();
        }
    }

    /** Returns the scorers, each behind a proxy that may spoil answers. The proxies are open as long as this is. */
    public List<URI> scorers(List<URI> scorers) throws IOException {
        if (!enabled) {
            return scorers;
        }
        List<URI> all = new ArrayList<>();
        for (URI scorer : scorers) {
            ScorerProxy proxy = ScorerProxy.before(scorer, this::spoil);
            proxies.add(proxy);
            all.add(proxy.url());
        }
        return all;
    }

    private ScorerProxy.Spoil spoil() {
        return picked(FaultKind.SCORER_HANG, true)
                .map(_ -> ScorerProxy.Spoil.HANG)
                .or(() -> picked(FaultKind.SCORER_ERROR, true).map(_ -> ScorerProxy.Spoil.ERROR))
                .or(() -> picked(FaultKind.SCORER_GARBAGE, true).map(_ -> ScorerProxy.Spoil.GARBAGE))
                .or(() -> picked(FaultKind.SCORER_BREAK_OFF, true).map(_ -> ScorerProxy.Spoil.BREAK_OFF))
                .or(() -> picked(FaultKind.SCORER_SLOW, true).map(_ -> ScorerProxy.Spoil.SLOW))
                .or(() -> picked(FaultKind.SCORER_WRONG, true).map(_ -> ScorerProxy.Spoil.WRONG))
                .orElse(ScorerProxy.Spoil.NONE);
    }

    /** Returns the ledger of a run, whose database may become unavailable; with a moment before each commit. */
    public Ledger ledger(RunJournal journal) {
        if (!enabled) {
            return journal.ledger(() -> {});
        }
        Ledger ledger = journal.ledger(this::askLedger);
        return run -> Behaviors.intercept(CommitMoment::new, ledger.writer(run));
    }

    private void askLedger() {
        picked(FaultKind.LEDGER_GONE, true).ifPresent(fault -> {
            throw new LedgerException("injected: the database is gone, fault " + fault.id);
        });
    }

    private final class CommitMoment extends BehaviorInterceptor<Ledger.Command, Ledger.Command> {
        CommitMoment() {
            super(Ledger.Command.class);
        }

        @Override
        public Behavior<Ledger.Command> aroundReceive(
                TypedActorContext<Ledger.Command> context, Ledger.Command told, ReceiveTarget<Ledger.Command> target) {
            if (told instanceof Ledger.Write write
                    && write.events().stream().anyMatch(LedgerEvent.StepCommitted.class::isInstance)) {
                reached(FaultMoment.COMMIT);
            }
            return target.apply(context, told);
        }
    }

    /** Returns the checkpoints, with the moments of their creation. */
    public Checkpoints checkpoints(Path where) {
        return enabled
                ? new Checkpoints(where, () -> reached(FaultMoment.CHECKPOINT), () -> reached(FaultMoment.CHECKPOINTED))
                : new Checkpoints(where);
    }

    @Override
    public void close() {
        heal(0);
        proxies.forEach(ScorerProxy::close);
        proxies.clear();
    }
}
