package darkroom.runtime.chaos;

import darkroom.actors.ledger.RunDigests;
import darkroom.config.Recipes;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.LineTail;
import darkroom.runtime.base.NodeName;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.chaos.ChaosPlan.Planned;
import darkroom.runtime.cluster.ControlHeartbeat;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.FaultPort;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.report.Incident;
import darkroom.runtime.report.Summary;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run in processes of this machine, disturbed by a schedule of faults. This process takes no part in the run: it
 * starts nodes, signals them, orders faults from them, restarts processes that died, and reads the files that the run
 * writes into its directory.
 */
public final class ChaosRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChaosRun.class);
    private static final int LOOK_EVERY_MILLIS = 50;
    private static final int KILLED = 137;
    private static final Duration LEFT_WITHIN = Duration.ofSeconds(40);
    private static final Duration WITNESS_EVERY = Duration.ofMillis(250);

    /** Reactions that are seen later have another cause. */
    private static final Duration NOTICED_WITHIN = Duration.ofSeconds(10);

    /** Random faults wait for the next commit if there was none for this long, so that they do not starve the run. */
    private static final Duration BREATH_AFTER = Duration.ofSeconds(30);

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

    private final String name;
    private final Path directory;
    private final ChaosPlan plan;
    private final long seed;
    private final boolean faults;
    private final PrintWriter out;
    private final NodeProcesses processes;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    private final RandomGenerator dice;
    private final long beganNanos = System.nanoTime();
    private final List<Integer> controlPorts = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<ChaosReport.Incarnation> incarnations = new ArrayList<>();
    private final List<Injected> injected = new ArrayList<>();
    private final Deque<Due> due = new ArrayDeque<>();
    private final LineTail metrics;
    private final LineTail happenings;
    private final List<Incident> incidents = new ArrayList<>();
    private final List<Double> commits = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private int steps;
    private int deaths;
    private boolean over;
    private double goingSince = Double.NaN;
    private double witnessedAt;
    private double controlHarmedAt = Double.NEGATIVE_INFINITY;

    /** The next fault; {@code since} is when its step was reached. */
    private static final class Due {
        private final Planned planned;
        private final boolean byChance;
        private double since = Double.NaN;

        Due(Planned planned, boolean byChance) {
            this.planned = planned;
            this.byChance = byChance;
        }
    }

    /** A place for a process, and the current one. */
    private static final class Node {
        private final String label;
        private final String role;
        private final int port;
        private @Nullable Process process;
        private double startedAt;
        private double restartAt = Double.POSITIVE_INFINITY;
        private double goesOnAt = Double.POSITIVE_INFINITY;

        Node(String label, String role, int port) {
            this.label = label;
            this.role = role;
            this.port = port;
        }

        boolean isAlive() {
            return process != null && process.isAlive();
        }

        boolean isStopped() {
            return goesOnAt < Double.POSITIVE_INFINITY;
        }

        long pid() {
            return process == null ? 0 : process.pid();
        }
    }

    /** A fault that was injected. */
    private static final class Injected {
        private final int id;
        private final FaultOrder order;
        private final boolean byChance;
        private final Node node;
        private final Process process;
        private final double at;
        private final int step;
        private int portId;
        private String witness = "";
        private String remark = "";
        private OptionalDouble detected = OptionalDouble.empty();
        private OptionalDouble recovered = OptionalDouble.empty();

        Injected(int id, FaultOrder order, boolean byChance, Node node, Process process, double at, int step) {
            this.id = id;
            this.order = order;
            this.byChance = byChance;
            this.node = node;
            this.process = process;
            this.at = at;
            this.step = step;
        }

        ChaosReport.Fault report() {
            return new ChaosReport.Fault(
                    id,
                    order.kind(),
                    order.text(),
                    node.label,
                    process.pid(),
                    at,
                    step,
                    order.forMillis() / 1000.0,
                    witness,
                    remark,
                    detected,
                    recovered);
        }
    }

    /**
     * Creates a run.
     *
     * @param directory of the run; must not exist yet
     * @param schedule faults of the run; may be empty
     * @param seed picks one among several processes that a fault may affect
     */
    public ChaosRun(String name, Path directory, ChaosPlan plan, List<Planned> schedule, long seed, PrintWriter out)
            throws IOException {
        this.name = name;
        this.directory = directory;
        this.plan = plan;
        this.seed = seed;
        this.faults = !schedule.isEmpty();
        this.out = out;
        this.processes =
                new NodeProcesses(directory.resolveSibling(directory.getFileName() + "-nodes"), false, SHORT_LIVED);
        this.metrics = new LineTail(new RunDirectory(directory).metrics());
        this.happenings = new LineTail(new RunDirectory(directory).incidents());
        this.dice = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        Set<Planned> surely = new HashSet<>(plan.faults());
        schedule.forEach(planned -> due.add(new Due(planned, !surely.contains(planned))));
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

    /** Runs to the end, successful or not. */
    public ChaosReport.Run run() throws IOException, InterruptedException {
        for (Node node : nodes) {
            if (node.role.equals(ControlNode.ROLE) && node != nodes.getFirst()) {
                node.restartAt = 0; // now a standby has a run to wait for
            } else {
                start(node);
            }
        }
        String end = untilTheEnd();
        over = true;
        letLeave();
        double seconds = now();
        collectIncarnations(seconds);
        return report(end, seconds);
    }

    private String untilTheEnd() throws IOException, InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        while (!never.await(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
            look();
            Optional<ControlHeartbeat> heartbeat = ControlHeartbeat.read(directory);
            Optional<ControlHeartbeat> ended =
                    heartbeat.filter(ControlHeartbeat::hasEnded).filter(last -> last.end() != Summary.End.Kind.REQUEST);
            if (ended.isPresent()) {
                if (ended.get().end() != Summary.End.Kind.COMPLETED) {
                    wrong.add("the run has ended otherwise: " + ended.get().ended());
                }
                return ended.get().ended();
            }
            double last = commits.isEmpty() ? 0 : commits.getLast();
            if (now() - last > seconds(plan.hangAfter())) {
                wrong.add("nothing was committed for %s after step %d; the logs are in %s"
                        .formatted(
                                plan.hangAfter(), steps, directory.resolveSibling(directory.getFileName() + "-nodes")));
                return "";
            }
            revive(heartbeat.isPresent());
            inject(heartbeat);
            witness();
        }
        throw new IllegalStateException("nobody counts this down");
    }

    private double now() {
        return (System.nanoTime() - beganNanos) / 1e9;
    }

    private static double seconds(Duration time) {
        return time.toMillis() / 1e3;
    }

    private void start(Node node) {
        List<String> arguments = new ArrayList<>();
        if (node.role.equals(ControlNode.ROLE)) {
            arguments.addAll(List.of("--out", directory.toString()));
            boolean other =
                    nodes.stream().anyMatch(one -> one != node && one.role.equals(ControlNode.ROLE) && one.isAlive());
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
        node.startedAt = now();
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

    /** Reads new output of the run, and checks which processes have ended. */
    private void look() throws IOException {
        var _ = metrics.more();
        while (steps < metrics.count()) {
            steps++;
            commits.add(now());
            for (Injected fault : injected) {
                if (fault.recovered.isEmpty()) {
                    fault.recovered = OptionalDouble.of(now() - fault.at);
                }
            }
        }
        List<String> more = happenings.more();
        int first = happenings.count() - more.size();
        for (int i = Math.max(0, incidents.size() - first); i < more.size(); i++) {
            Incident incident = JsonLines.JSON.readValue(more.get(i), Incident.class);
            incidents.add(incident);
            heard(incident);
        }
        for (Node node : nodes) {
            Process process = node.process;
            if (process != null && !process.isAlive()) {
                incarnations.add(new ChaosReport.Incarnation(
                        node.label, process.pid(), node.startedAt, now(), Optional.of(process.exitValue())));
                if (!over) {
                    ended(node, process);
                }
                node.process = null;
                node.goesOnAt = Double.POSITIVE_INFINITY;
                // A node that leaves gracefully knows that the run has ended, or was asked to leave.
                Duration pause = process.exitValue() == 0 && !isAskedToEnd(process) ? LEFT_WITHIN : plan.restartAfter();
                node.restartAt = now() + seconds(pause);
            } else if (process != null && node.isStopped() && now() >= node.goesOnAt) {
                NodeProcesses.signal("CONT", process);
                node.goesOnAt = Double.POSITIVE_INFINITY;
            }
        }
    }

    private void heard(Incident incident) {
        double at = now(); // of this process's own clock, as the times of faults are
        if (incident.kind() == Incident.Kind.NODE_JOINED
                && NodeName.parse(incident.who())
                        .filter(node -> node.roles().contains("rollout"))
                        .isPresent()
                && Double.isNaN(goingSince)) {
            goingSince = now();
        }
        for (Injected fault : injected) {
            boolean seen =
                    switch (incident.kind()) {
                        case OPENED ->
                            fault.node.role.equals(ControlNode.ROLE)
                                    && fault.order.kind().silences();
                        case NODE_LEFT, WORKER_LOST, LEASE_EXPIRED, WORK_FAILED, DEVICE_SLOT_FAILING, STALLED ->
                            NodeName.isOf(fault.process.pid(), incident.who());
                        case NODE_JOINED, NOBODY_THERE, MIXED_PROCESSORS, EVENTS_DROPPED -> false;
                    };
            boolean because = at < fault.at + fault.order.forMillis() / 1e3 + seconds(NOTICED_WITHIN);
            if (seen && because && fault.detected.isEmpty()) {
                fault.detected = OptionalDouble.of(at - fault.at);
            }
        }
    }

    /** Records the end of a process, and whether a fault wanted it. */
    private void ended(Node node, Process process) {
        int code = process.exitValue();
        boolean killed = false;
        boolean meant = false;
        for (Injected fault : injected) {
            if (fault.process != process) {
                continue;
            }
            boolean kills =
                    switch (fault.order.kind()) {
                        case KILL, KILL_STORM, KILL_AT, TORN_CHECKPOINT -> code == KILLED;
                        case TERM, LEAVE_STORM -> true;
                        default -> false;
                    };
            deaths += kills && !killed ? 1 : 0;
            killed |= kills;
            meant |= kills || fault.order.kind() == FaultKind.STOP || fault.order.kind() == FaultKind.DISK_FULL;
            if (kills && fault.witness.isEmpty()) {
                fault.witness = "exit code " + code;
            } else if (fault.witness.isEmpty()) {
                fault.remark = "the process ended before an effect was seen";
            }
        }
        say("%s (process %d) has ended, exit code %d%s"
                .formatted(node.label, process.pid(), code, meant ? "" : ", by itself"));
    }

    private boolean isAskedToEnd(Process process) {
        return injected.stream()
                .anyMatch(fault -> fault.process == process
                        && (fault.order.kind() == FaultKind.TERM || fault.order.kind() == FaultKind.LEAVE_STORM));
    }

    private void revive(boolean begun) {
        for (Node node : nodes) {
            boolean first = node == nodes.getFirst() || !node.role.equals(ControlNode.ROLE);
            if (node.process == null && now() >= node.restartAt && (begun || first)) {
                boolean back = node.restartAt > 0;
                start(node);
                if (!back) {
                    continue;
                }
                say("%s is back as process %d".formatted(node.label, node.pid()));
            }
        }
    }

    private void inject(Optional<ControlHeartbeat> heartbeat) throws IOException, InterruptedException {
        if (Double.isNaN(goingSince) || steps >= plan.steps()) {
            return;
        }
        double lastCommit = commits.isEmpty() ? goingSince : commits.getLast();
        boolean breath = now() - lastCommit > Math.min(seconds(BREATH_AFTER), seconds(plan.hangAfter()) / 4);
        for (int i = due.size(); i > 0; i--) {
            Due next = due.removeFirst();
            if (Double.isNaN(next.since) && steps >= next.planned.atStep()) {
                next.since = next.planned.atStep() == 0 ? goingSince : now();
            }
            boolean ripe = now() >= next.since + seconds(next.planned.after()); // false for NaN
            if (!ripe || (breath && next.byChance) || !happens(next, heartbeat)) {
                due.addLast(next);
            }
        }
    }

    /** Injects a fault; returns false if no process can be affected now. */
    private boolean happens(Due next, Optional<ControlHeartbeat> heartbeat) throws IOException, InterruptedException {
        FaultOrder order = next.planned.order();
        List<Node> able = able(next, heartbeat);
        return switch (order.kind()) {
            case JOIN_STORM -> {
                for (int i = 0; i < Math.max(1, order.count()); i++) {
                    Node more = new Node(label(next.planned.on()), next.planned.on(), 0);
                    nodes.add(more);
                    start(more);
                    Injected fault = begun(next, more);
                    fault.witness = "process " + more.pid() + " is started";
                }
                yield true;
            }
            case LEAVE_STORM, KILL_STORM -> {
                if (able.isEmpty()) {
                    yield false;
                }
                for (Node node : able.subList(0, Math.min(able.size(), Math.max(1, order.count())))) {
                    Injected fault = begun(next, node);
                    NodeProcesses.signal(order.kind() == FaultKind.KILL_STORM ? "KILL" : "TERM", fault.process);
                }
                yield true;
            }
            default -> !able.isEmpty() && happens(next, able.get(dice.nextInt(able.size())));
        };
    }

    private boolean happens(Due next, Node node) throws IOException, InterruptedException {
        FaultOrder order = next.planned.order();
        if (order.kind() == FaultKind.KILL
                || order.kind() == FaultKind.TERM
                || order.kind() == FaultKind.STOP
                || order.kind() == FaultKind.PAUSE) {
            Injected fault = begun(next, node);
            switch (order.kind()) {
                case KILL -> NodeProcesses.signal("KILL", fault.process);
                case TERM -> NodeProcesses.signal("TERM", fault.process);
                default -> {
                    NodeProcesses.signal("STOP", fault.process);
                    node.goesOnAt = now() + order.forMillis() / 1e3;
                    if (isStopped(fault.process)) {
                        fault.witness = "the system says that it is stopped";
                    }
                }
            }
            return true;
        }
        Optional<String> page = StatusPage.ofProcess(node.pid());
        if (page.isEmpty()) {
            return false;
        }
        // No other client orders faults from this node. So its numbers are known, even if its answer is late.
        int id = 1
                + (int) injected.stream()
                        .filter(fault -> fault.process == node.process && fault.portId > 0)
                        .count();
        try {
            id = FaultPort.at(http, page.get()).inject(order);
        } catch (CommandFailedException notNow) {
            LOG.debug("{} does not take {}", node.label, order.text(), notNow);
            return false; // it has died, or has no checkpoint to tear yet
        } catch (IOException late) {
            LOG.debug("{} has not confirmed {}", node.label, order.text(), late);
            say("%s has not confirmed %s".formatted(node.label, order.text())); // it may have died of it
        }
        Injected fault = begun(next, node);
        fault.portId = id;
        return true;
    }

    private Injected begun(Due next, Node node) {
        Process process = Objects.requireNonNull(node.process);
        Injected fault =
                new Injected(injected.size() + 1, next.planned.order(), next.byChance, node, process, now(), steps);
        injected.add(fault);
        if (node.role.equals(ControlNode.ROLE) && fault.order.kind().silences()) {
            controlHarmedAt = now();
        }
        say("%s on %s (process %d), after step %d".formatted(fault.order.text(), node.label, process.pid(), steps));
        return fault;
    }

    /**
     * Returns the nodes that a fault can affect: admitted and not stopped, except that random kills may hit any; of
     * control nodes the active one, after a commit since its last fault.
     */
    private List<Node> able(Due next, Optional<ControlHeartbeat> heartbeat) {
        Planned planned = next.planned;
        boolean anybody = next.byChance
                && (planned.order().kind() == FaultKind.KILL || planned.order().kind() == FaultKind.KILL_STORM);
        boolean joins =
                planned.order().moment().filter(FaultMoment.JOIN::equals).isPresent();
        boolean progress = !commits.isEmpty() && commits.getLast() > controlHarmedAt;
        List<Node> able = new ArrayList<>();
        for (Node node : nodes) {
            boolean role = planned.on().equals("any") || planned.on().equals(node.role);
            if (!role || !node.isAlive() || node.isStopped() || isDoomed(node)) {
                continue;
            }
            boolean there = node.role.equals(ControlNode.ROLE)
                    ? heartbeat
                                    .filter(now -> now.pid() == node.pid() && !now.hasEnded())
                                    .isPresent()
                            && (progress || controlHarmedAt == Double.NEGATIVE_INFINITY)
                    : anybody || joins != isIn(node.pid());
            if (there) {
                able.add(node);
            }
        }
        return able;
    }

    /** Whether the node was signalled to end, and has not ended yet. */
    private boolean isDoomed(Node node) {
        return injected.stream()
                .anyMatch(fault -> fault.process == node.process
                        && switch (fault.order.kind()) {
                            case KILL, TERM, KILL_STORM, LEAVE_STORM, TORN_CHECKPOINT -> true;
                            default -> false;
                        });
    }

    private boolean isIn(long pid) {
        boolean in = false;
        for (Incident incident : incidents) {
            if (NodeName.isOf(pid, incident.who())) {
                in = switch (incident.kind()) {
                    case NODE_JOINED -> true;
                    case NODE_LEFT -> false;
                    default -> in;
                };
            }
        }
        return in;
    }

    private static boolean isStopped(Process process) throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 20; i++) {
            try {
                String stat = Files.readString(
                        Path.of("/proc", Long.toString(process.pid()), "stat"), StandardCharsets.UTF_8);
                if (stat.substring(stat.lastIndexOf(')') + 1).strip().startsWith("T")) {
                    return true;
                }
            } catch (IOException gone) {
                LOG.debug("process {} is gone", process.pid(), gone);
                return false;
            }
            if (never.await(5, TimeUnit.MILLISECONDS)) {
                return false;
            }
        }
        return false;
    }

    /** Asks nodes how often their faults have had an effect. */
    private void witness() throws InterruptedException {
        if (now() - witnessedAt < seconds(WITNESS_EVERY)) {
            return;
        }
        witnessedAt = now();
        for (Node node : nodes) {
            boolean open = injected.stream()
                    .anyMatch(fault -> fault.process == node.process && fault.portId > 0 && isOpen(fault));
            if (open && node.isAlive() && !node.isStopped()) {
                ask(node);
            }
        }
    }

    private boolean isOpen(Injected fault) {
        return fault.witness.isEmpty() || now() - fault.at < fault.order.forMillis() / 1e3 + 1;
    }

    private void ask(Node node) throws InterruptedException {
        Optional<String> page = StatusPage.ofProcess(node.pid());
        if (page.isEmpty()) {
            return;
        }
        try {
            for (NodeFaults.Seen seen : FaultPort.at(http, page.get()).list()) {
                injected.stream()
                        .filter(fault -> fault.process == node.process && fault.portId == seen.id() && seen.hits() > 0)
                        .forEach(fault -> fault.witness = seen.hits() + (seen.hits() == 1 ? " effect" : " effects"));
            }
        } catch (IOException | CommandFailedException notNow) {
            LOG.debug("{} does not answer", node.label, notNow);
            say("%s does not answer".formatted(node.label));
        }
    }

    private void letLeave() throws InterruptedException, IOException {
        for (Node node : nodes) {
            if (node.isStopped()) {
                NodeProcesses.signal("CONT", Objects.requireNonNull(node.process));
                node.goesOnAt = Double.POSITIVE_INFINITY;
            }
        }
        double until = now() + seconds(wrong.isEmpty() ? LEFT_WITHIN : Duration.ZERO);
        CountDownLatch never = new CountDownLatch(1);
        while (nodes.stream().anyMatch(Node::isAlive) && now() < until) {
            if (never.await(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        processes.kill();
        look();
    }

    private void collectIncarnations(double end) {
        for (Node node : nodes) {
            Process process = node.process;
            if (process != null) {
                incarnations.add(
                        new ChaosReport.Incarnation(node.label, process.pid(), node.startedAt, end, Optional.empty()));
            }
        }
    }

    private ChaosReport.Run report(String end, double seconds) throws IOException {
        for (Injected fault : injected) {
            if (fault.witness.isEmpty() && fault.remark.isEmpty()) {
                fault.remark = "the run ended before an effect was seen";
            }
            if (fault.witness.isEmpty() && !fault.byChance) {
                wrong.add("no witness of %s on %s: %s".formatted(fault.order.text(), fault.node.label, fault.remark));
            }
        }
        for (Due never : due) {
            if (!never.byChance) {
                wrong.add("%s on %s has not happened: the run ended first, or nobody was there for it"
                        .formatted(never.planned.order().text(), never.planned.on()));
            }
        }
        RunDigests digests = null;
        if (Files.exists(new RunDirectory(directory).summary())) {
            digests = Summary.read(directory).digests();
        } else {
            wrong.add("there is no summary of the run");
        }
        int redone = incidents.stream().mapToInt(Incident::units).sum();
        return new ChaosReport.Run(
                name,
                seed,
                end,
                seconds,
                digests,
                false,
                "",
                List.of(),
                deaths,
                redone,
                OptionalDouble.empty(),
                commits,
                injected.stream().map(Injected::report).toList(),
                incarnations,
                wrong);
    }

    private void say(String line) {
        out.printf(Locale.ROOT, "%s %6.1f s  %s%n", name, now(), line);
        out.flush();
    }

    /** Returns the directory of the run. */
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        processes.kill();
        processes.close();
        http.close();
    }
}
