package darkroom.runtime.bench;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.run.RunGuardian;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.NodeName;
import darkroom.runtime.base.Poll;
import darkroom.runtime.chaos.NodeProcesses;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.NodeArguments;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.run.RunEnvironment;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Rehearsal} whose control node is this process, in its own thread, and whose workers are other processes. It
 * records the events that it receives, with their times.
 */
public final class ProcessCluster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessCluster.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(20);
    private static final int STATUS_ATTEMPTS = 3;
    private static final Duration OPEN_WITHIN = Duration.ofSeconds(60);
    private static final Duration CLOSED_WITHIN = Duration.ofSeconds(60);

    private final RunSettings settings;
    private final List<String> overrides;
    private final BiConsumer<RunEvent, TensorStore> listener;
    private final Path logs;
    private final NodeProcesses processes;
    private final List<Heard<?>> heard = new ArrayList<>();
    private final CompletableFuture<ControlNode.Open> open = new CompletableFuture<>();
    private final CompletableFuture<RunDigests> end = new CompletableFuture<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Thread thread;

    /**
     * An event and its time.
     *
     * @param event a {@link RunEvent}, or that a member of the cluster is up
     * @param nanos time of receipt, by {@link System#nanoTime}
     */
    public record Heard<E>(E event, long nanos) {}

    private ProcessCluster(RunSettings settings, List<String> overrides, BiConsumer<RunEvent, TensorStore> listener)
            throws IOException {
        this.settings = settings;
        this.overrides = List.copyOf(overrides);
        this.listener = listener;
        this.logs = Files.createTempDirectory("darkroom-cluster");
        this.processes = new NodeProcesses(logs);
        this.thread = Thread.ofPlatform().name("run").unstarted(this::run);
    }

    /**
     * Starts the run. It waits for workers.
     *
     * @param overrides of {@code settings}; workers need those of the cluster
     * @param listener receives all events, with the store that tensors are in
     */
    public static ProcessCluster open(
            RunSettings settings, List<String> overrides, BiConsumer<RunEvent, TensorStore> listener)
            throws IOException, InterruptedException {
        ProcessCluster cluster = new ProcessCluster(settings, overrides, listener);
        cluster.thread.start();
        try {
            Cluster.get(cluster.opened().system()); // fails here if it does not open
            return cluster;
        } catch (CommandFailedException e) {
            cluster.close();
            throw e;
        }
    }

    private void run() {
        try (RunEnvironment environment = ControlNode.with(List.of(ControlNode.ROLE), this::watch, processes::awaitLeft)
                .open(settings)) {
            end.complete(Rehearsal.run(
                    settings,
                    event -> {
                        listener.accept(event, environment.plane().store());
                        hear(event);
                    },
                    () -> {},
                    environment));
        } catch (IOException | InterruptedException | RuntimeException failure) {
            open.completeExceptionally(failure);
            end.completeExceptionally(failure);
        }
    }

    private void watch(ControlNode.Open opened) {
        var _ = opened.system()
                .systemActorOf(
                        Behaviors.<ClusterEvent.MemberUp>setup(context -> {
                            Cluster.get(context.getSystem())
                                    .subscriptions()
                                    .tell(new Subscribe<>(context.getSelf(), ClusterEvent.MemberUp.class));
                            return Behaviors.receiveMessage(up -> {
                                hear(up);
                                return Behaviors.same();
                            });
                        }),
                        "watch",
                        Props.empty());
        open.complete(opened);
    }

    private synchronized void hear(Object event) {
        heard.add(new Heard<>(event, System.nanoTime()));
        notifyAll();
    }

    public ControlNode.Open opened() throws InterruptedException {
        try {
            return open.get(OPEN_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new CommandFailedException("the control node has not opened: " + e);
        }
    }

    /**
     * Starts a node.
     *
     * @param by a program that becomes the node; may be empty
     * @param arguments of the node, in addition to where to join
     */
    public Process start(List<String> by, List<String> roles, List<String> arguments) throws InterruptedException {
        List<String> all = new ArrayList<>(NodeArguments.joining(opened(), overrides));
        all.addAll(arguments);
        return processes.start(by, roles, all);
    }

    /** Stops a process as {@link NodeProcesses#stopFor} does. */
    public void stopFor(Process process, Duration time) {
        processes.stopFor(process, Math.toIntExact(time.toMillis()));
    }

    /** Whether the node or the worker of this name is in the process. */
    public static boolean isOf(Process process, String name) {
        return NodeName.isOf(process.pid(), name);
    }

    /** Waits until the node registry has admitted the process, by the {@code after}th event or a later one. */
    public Heard<NodeEvent.NodeJoined> awaitJoined(int after, Process process, Duration within)
            throws InterruptedException {
        return await(
                after,
                "process " + process.pid() + " is let in",
                within,
                NodeEvent.NodeJoined.class,
                joined -> isOf(process, joined.node().name()));
    }

    /** Waits until the process is off the roster. */
    public Heard<NodeEvent.NodeLeft> awaitLeft(int after, Process process, Duration within)
            throws InterruptedException {
        return await(
                after,
                "process " + process.pid() + " is off the roster",
                within,
                NodeEvent.NodeLeft.class,
                left -> isOf(process, left.node().name()));
    }

    /**
     * Waits for the first event that matches, including events received already.
     *
     * @param after events before this one, by {@link #heard}, do not count
     * @throws CommandFailedException if it does not arrive, or the run fails
     */
    public synchronized <E> Heard<E> await(int after, String what, Duration within, Class<E> type, Predicate<E> wanted)
            throws InterruptedException {
        long until = System.nanoTime() + within.toNanos();
        int next = after;
        while (true) {
            for (; next < heard.size(); next++) {
                Heard<?> one = heard.get(next);
                if (type.isInstance(one.event()) && wanted.test(type.cast(one.event()))) {
                    return new Heard<>(type.cast(one.event()), one.nanos());
                }
            }
            long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
            if (left <= 0 || end.isCompletedExceptionally()) {
                throw new CommandFailedException("not within %s: %s%n%s".formatted(within, what, tale()));
            }
            wait(left);
        }
    }

    /**
     * Polls until a condition holds that is not an event.
     *
     * @throws CommandFailedException if it does not hold in time, or the run fails
     */
    public void await(String what, Duration within, Poll.Condition condition) throws IOException, InterruptedException {
        Optional<Boolean> held = Poll.forValue(
                LOOK_EVERY,
                within,
                () -> condition.holds()
                        ? Optional.of(true)
                        : end.isCompletedExceptionally() ? Optional.of(false) : Optional.empty());
        if (!held.orElse(false)) {
            throw new CommandFailedException("not within %s: %s%n%s".formatted(within, what, tale()));
        }
    }

    /** Returns the number of events received. */
    public synchronized int heard() {
        return heard.size();
    }

    /** Returns the events of a type, in order of time. */
    public synchronized <E> List<E> all(Class<E> type) {
        return heard.stream()
                .map(Heard::event)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    /** Returns the members of the cluster, as the control node sees them. */
    public List<Member> members() throws InterruptedException {
        List<Member> all = new ArrayList<>();
        Cluster.get(opened().system()).state().getMembers().forEach(all::add);
        return all;
    }

    /** Returns the status of the control node's page. Retries while the node registry does not exist yet. */
    public ClusterStatus status() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(opened().status()))
                .timeout(StatusPage.ANSWER_WITHIN.multipliedBy(2))
                .build();
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        for (int attempt = 1; answer.statusCode() != 200 && attempt < STATUS_ATTEMPTS; attempt++) {
            answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        }
        return StatusPage.JSON.readValue(answer.body(), ClusterStatus.class);
    }

    /** Commits the step in progress, and waits for the end of the run. */
    public void finish(Duration within) throws InterruptedException {
        opened().system().tell(new RunGuardian.FinishStep());
        var _ = await(0, "the run ends", within, RunEvent.Ended.class, _ -> true);
    }

    /** Returns a description for debugging: events of nodes and workers, and all logs. */
    public synchronized String tale() {
        long began = heard.isEmpty() ? 0 : heard.getFirst().nanos();
        String events = heard.stream()
                .filter(one -> one.event() instanceof NodeEvent
                        || one.event() instanceof WorkQueueEvent
                        || one.event() instanceof ClusterEvent.MemberUp)
                .map(one -> "%d ms %s".formatted(TimeUnit.NANOSECONDS.toMillis(one.nanos() - began), one.event()))
                .collect(Collectors.joining("\n"));
        return "end " + end + "\n" + events + "\n" + logs();
    }

    private String logs() {
        try (Stream<Path> files = Files.list(logs)) {
            return files.sorted().map(ProcessCluster::read).collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path log) {
        try {
            return log.getFileName() + ":\n" + Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the processes and the run, by force if it has not ended by itself. */
    @Override
    public void close() throws IOException {
        if (!end.isDone()) {
            processes.kill();
            thread.interrupt();
        }
        try {
            if (!thread.join(CLOSED_WITHIN)) {
                LOG.warn("the run has not ended within {}", CLOSED_WITHIN);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        processes.close();
        http.close();
        remove(logs);
    }

    /** Deletes a directory with all its content. */
    public static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
