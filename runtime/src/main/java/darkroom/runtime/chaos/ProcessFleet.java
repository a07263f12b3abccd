package darkroom.runtime.chaos;

import darkroom.config.Recipes;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.cluster.ControlNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The processes of a chaos run: starts them, restarts those that have ended, signals them and ends them. Not thread-safe:
 * the thread of the run alone uses it.
 */
final class ProcessFleet implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessFleet.class);

    /** Time for nodes to leave by themselves after the run has ended. */
    static final Duration LEFT_WITHIN = Duration.ofSeconds(40);

    /** A short-lived process is not worth optimized code. */
    private static final List<String> SHORT_LIVED = List.of("-XX:TieredStopAtLevel=1");

    private static final String RECIPE = "embedded-demo";

    /** Default settings of the run: small, and tolerant of many faults at once. */
    private static final List<String> SMALL = List.of(
            "rollout.groups-per-step=4",
            "rollout.images-per-group=4",
            "rollout.solver-steps=3",
            "training.unit-samples=4",
            "training.optimizer-steps=2",
            "evaluation.tasks=2",
            "evaluation.images-per-task=1",
            "evaluation.every-steps=0",
            "scoring.timeout=3s",
            "scoring.attempts=20",
            "checkpoints.every-steps=1",
            "limits.work-attempts-max=1000",
            "limits.stall-after=5s");

    private final Path directory;
    private final ChaosPlan plan;
    private final boolean faults;
    private final ChaosLog log;
    private final Path logs;
    private final NodeProcesses processes;
    private final List<Integer> controlPorts = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<ChaosReport.Incarnation> incarnations = new ArrayList<>();

    /** A place for a process, and its current process. */
    static final class Node {
        private final String label;
        private final String role;
        private final int port;
        private @Nullable Process process;
        private double startedAt;
        private double restartAt = Double.POSITIVE_INFINITY;
        private double continueAt = Double.POSITIVE_INFINITY;

        private Node(String label, String role, int port) {
            this.label = label;
            this.role = role;
            this.port = port;
        }

        String label() {
            return label;
        }

        String role() {
            return role;
        }

        boolean isControl() {
            return role.equals(ControlNode.ROLE);
        }

        /**
         * Returns the current process, which may have ended.
         *
         * @throws IllegalStateException if there is none
         */
        Process process() {
            Process current = process;
            if (current == null) {
                throw new IllegalStateException(label + " has no process");
            }
            return current;
        }

        boolean isAlive() {
            return process != null && process.isAlive();
        }

        boolean isIn(Process other) {
            return process == other;
        }

        /** Whether its process is stopped by {@link #stop}. */
        boolean isStopped() {
            return continueAt < Double.POSITIVE_INFINITY;
        }

        /** Returns the number of its process; 0 if it has none. */
        long pid() {
            return process == null ? 0 : process.pid();
        }
    }

    /**
     * Creates the nodes of a plan; none is started.
     *
     * @param directory of the run; the logs of the processes are in a directory next to it
     * @param faults whether nodes accept fault orders
     */
    ProcessFleet(Path directory, ChaosPlan plan, boolean faults, ChaosLog log) throws IOException {
        this.directory = directory;
        this.plan = plan;
        this.faults = faults;
        this.log = log;
        this.logs = directory.resolveSibling(directory.getFileName() + "-nodes");
        this.processes = new NodeProcesses(logs, false, SHORT_LIVED);
        NodeCounts counts = plan.nodes();
        for (int i = 1; i <= counts.control(); i++) {
            int port = freePort();
            controlPorts.add(port);
            nodes.add(new Node("control-" + i, ControlNode.ROLE, port));
        }
        for (String role : counts.roles()) {
            nodes.add(new Node(label(role), role, 0));
        }
    }

    private String label(String role) {
        return role + "-"
                + (1 + nodes.stream().filter(node -> node.role.equals(role)).count());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Returns the nodes, control nodes first. */
    List<Node> nodes() {
        return List.copyOf(nodes);
    }

    /** Returns the directory with one log per process. */
    Path logs() {
        return logs;
    }

    /** Starts all nodes, except that standbys wait until the run has begun: see {@link #restartDue}. */
    void start() {
        for (Node node : nodes) {
            if (node.isControl() && node != nodes.getFirst()) {
                node.restartAt = 0;
            } else {
                start(node);
            }
        }
    }

    /** Adds a node and starts it. */
    Node add(String role) {
        Node node = new Node(label(role), role, 0);
        nodes.add(node);
        start(node);
        return node;
    }

    /**
     * Starts the nodes whose time of restart has come.
     *
     * @param begun whether the run has begun, so that a standby has a run to wait for
     */
    void restartDue(boolean begun) {
        for (Node node : nodes) {
            boolean first = node == nodes.getFirst() || !node.isControl();
            if (node.process == null && log.now() >= node.restartAt && (begun || first)) {
                boolean again = node.restartAt > 0;
                start(node);
                if (again) {
                    log.say("%s is back as process %d".formatted(node.label, node.pid()));
                }
            }
        }
    }

    private void start(Node node) {
        List<String> arguments = new ArrayList<>();
        if (node.isControl()) {
            arguments.addAll(List.of("--out", directory.toString()));
            boolean other = nodes.stream().anyMatch(one -> one != node && one.isControl() && one.isAlive());
            if (other) {
                arguments.add("--standby");
            } else {
                arguments.addAll(List.of("--config", RECIPE));
            }
            settings().forEach(pair -> arguments.addAll(List.of("--set", pair)));
            arguments.addAll(List.of("--set", "cluster.port=" + node.port));
        } else {
            controlPorts.forEach(port -> arguments.addAll(List.of("--join", "127.0.0.1:" + port)));
            settings().stream()
                    .filter(pair -> pair.startsWith("cluster.") || pair.startsWith("limits."))
                    .forEach(pair -> arguments.addAll(List.of("--set", pair)));
        }
        if (faults) {
            arguments.addAll(List.of("--set", "faults.enabled=true"));
        }
        node.process = processes.start(List.of(node.role), arguments);
        node.startedAt = log.now();
        node.restartAt = Double.POSITIVE_INFINITY;
    }

    private List<String> settings() {
        List<String> all = new ArrayList<>(SMALL);
        all.add("steps=" + plan.steps());
        all.add("checkpoints.keep-last=" + (plan.steps() + 2)); // so that the ledger keeps every slot
        all.addAll(plan.settings());
        all.addAll(Precisions.overrides(Precisions.decided(Recipes.load(RECIPE, all)))); // same for all compared runs
        return all;
    }

    /**
     * Notices the processes that have ended, decides when each is restarted, and continues stopped ones whose time is
     * over.
     *
     * @param ended receives each node whose process has ended
     * @param isAskedToEnd whether a fault asked the process to end; a node that ends by itself with exit code 0 knows
     *     that the run has ended, so it is given {@link #LEFT_WITHIN} before its restart
     */
    void update(BiConsumer<Node, Process> ended, Predicate<Process> isAskedToEnd) {
        for (Node node : nodes) {
            Process process = node.process;
            if (process != null && !process.isAlive()) {
                incarnations.add(new ChaosReport.Incarnation(
                        node.label, process.pid(), node.startedAt, log.now(), Optional.of(process.exitValue())));
                ended.accept(node, process);
                node.process = null;
                node.continueAt = Double.POSITIVE_INFINITY;
                Duration pause =
                        process.exitValue() == 0 && !isAskedToEnd.test(process) ? LEFT_WITHIN : plan.restartAfter();
                node.restartAt = log.now() + pause.toMillis() / 1e3;
            } else if (process != null && node.isStopped() && log.now() >= node.continueAt) {
                resume(node);
            }
        }
    }

    /** Kills the process of a node. */
    void kill(Node node) {
        NodeProcesses.signal("KILL", node.process());
    }

    /** Asks the process of a node to end. */
    void terminate(Node node) {
        NodeProcesses.signal("TERM", node.process());
    }

    /** Stops the process of a node; {@link #update} continues it after this time. */
    void stop(Node node, long millis) {
        NodeProcesses.signal("STOP", node.process());
        node.continueAt = log.now() + millis / 1e3;
    }

    private static void resume(Node node) {
        NodeProcesses.signal("CONT", node.process());
        node.continueAt = Double.POSITIVE_INFINITY;
    }

    /** Continues stopped processes, waits until all have ended, and kills those that have not within this time. */
    void end(Duration within) throws InterruptedException {
        for (Node node : nodes) {
            if (node.isStopped()) {
                resume(node);
            }
        }
        CompletableFuture<?>[] exits = nodes.stream()
                .filter(Node::isAlive)
                .map(node -> node.process().onExit())
                .toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(exits).get(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            LOG.debug("some processes have not ended within {}", within, late);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the end of a process cannot be awaited", e);
        }
        processes.kill();
    }

    /** Returns every process that was started, with its end; those of the current ones is {@code now}. */
    List<ChaosReport.Incarnation> incarnations(double now) {
        List<ChaosReport.Incarnation> all = new ArrayList<>(incarnations);
        for (Node node : nodes) {
            Process process = node.process;
            if (process != null) {
                all.add(new ChaosReport.Incarnation(node.label, process.pid(), node.startedAt, now, Optional.empty()));
            }
        }
        return all;
    }

    @Override
    public void close() {
        processes.kill();
        processes.close();
    }
}
