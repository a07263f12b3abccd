package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.config.Recipes;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.bench.ProcessCluster.Heard;
import darkroom.runtime.chaos.NodeProcesses;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.cluster.ClusterEvent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures how long a cluster of processes on this machine takes to detect faults and to recover, with this process as
 * the control node: from a signal, or the start of a process, to the event that the control node then receives.
 */
@Command(
        name = "faults",
        description = {
            "How long a cluster of processes takes to give the work of a killed or silent worker to another, to let a"
                    + " new process work, and to let one go: median and worst over trials, in milliseconds.",
            "",
            "A worker that is killed or stopped always holds a lease, and another one is free."
        })
public final class FaultBench implements Callable<Integer> {
    private static final Duration HEARD_WITHIN = Duration.ofSeconds(60);

    /** Longer than any trial. */
    private static final String FOREVER = "1h";

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--kind",
            split = ",",
            paramLabel = "KIND",
            description = "Of ${COMPLETION-CANDIDATES}; repeatable. Default: all")
    private List<Kind> kinds = List.of();

    @Option(
            names = "--trials",
            paramLabel = "N",
            defaultValue = "20",
            description = "Trials of each kind. Default: ${DEFAULT-VALUE}")
    private int trials;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting; repeatable.")
    private List<String> set = List.of();

    /** Fault applied to a node. */
    private enum Kind {
        KILL_ROLLOUT("rollout", "rollout"),
        STOP_ROLLOUT("rollout", "rollout"),
        KILL_TRAINER("trainer", "unit"),
        KILL_REWARD("reward", "score"),
        JOIN("rollout", ""),
        LEAVE("rollout", "");

        /** Role of the node. */
        private final String role;

        /** Setting that takes forever, so that a lease is always held. */
        private final String endless;

        Kind(String role, String endless) {
            this.role = role;
            this.endless = endless;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    @Override
    public Integer call() throws Exception {
        for (Kind kind : kinds.isEmpty() ? List.of(Kind.values()) : kinds) {
            Map<String, List<Double>> figures =
                    switch (kind) {
                        case KILL_ROLLOUT, KILL_TRAINER, KILL_REWARD, STOP_ROLLOUT -> releases(kind);
                        case JOIN -> joins();
                        case LEAVE -> leaves();
                    };
            print(kind, figures);
        }
        return ExitCode.OK.code();
    }

    private void print(Kind kind, Map<String, List<Double>> figures) {
        ObjectNode line =
                new JsonMapper().createObjectNode().put("kind", kind.toString()).put("trials", trials);
        PrintWriter out = spec.commandLine().getOut();
        TextTable table = new TextTable().text("kind", "").figures("median", "worst");
        figures.forEach((name, values) -> {
            double[] sorted =
                    values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
            double worst = sorted[sorted.length - 1];
            line.putObject(name).put("median", Math.round(median)).put("worst", Math.round(worst));
            table.row(kind, name, Math.round(median), Math.round(worst));
        });
        table.print(out, OptionalInt.empty());
        out.println(line);
        out.flush();
    }

    /** Measures from the signal to the moment at which the queue gives the unit to another worker. */
    private Map<String, List<Double>> releases(Kind kind) throws IOException, InterruptedException {
        List<Double> millis = new ArrayList<>();
        try (ProcessCluster cluster = open(virtual(kind.endless))) {
            for (String role : List.of("rollout", "trainer", "reward")) {
                if (!role.equals(kind.role)) {
                    started(cluster, role);
                }
            }
            List<Process> nodes = new ArrayList<>();
            for (int trial = 0; trial < trials; trial++) {
                while (nodes.size() < 2) {
                    nodes.add(started(cluster, kind.role));
                }
                Process holder = holder(cluster, nodes);
                int before = cluster.heard();
                long began = System.nanoTime();
                NodeProcesses.signal(kind == Kind.STOP_ROLLOUT ? "STOP" : "KILL", holder);
                Heard<WorkQueueEvent> released = cluster.await(
                        before,
                        "the lease is taken away",
                        HEARD_WITHIN,
                        WorkQueueEvent.class,
                        event -> of(holder, event));
                millis.add((released.nanos() - began) / 1e6);
                holder.destroyForcibly();
                nodes.remove(holder);
            }
        }
        return Map.of("releaseMs", millis);
    }

    private ProcessCluster open(List<String> settings) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(settings);
        all.addAll(set);
        return ProcessCluster.open(Precisions.decided(Recipes.load("embedded-demo", all)), set, (_, _) -> {});
    }

    private static Process started(ProcessCluster cluster, String role) throws InterruptedException {
        Process process = cluster.start(List.of(), List.of(role), List.of());
        cluster.awaitJoined(0, process, HEARD_WITHIN);
        return process;
    }

    /** Waits until a node of the role holds a lease and another one is free. */
    private static Process holder(ProcessCluster cluster, List<Process> nodes)
            throws IOException, InterruptedException {
        List<Process> holders = new ArrayList<>();
        cluster.await("one node holds a lease, another is free", HEARD_WITHIN, () -> {
            List<WorkQueueReport.Station> stations = cluster.status().queues().stream()
                    .flatMap(queue -> queue.stations().stream())
                    .toList();
            List<Process> there = nodes.stream()
                    .filter(process -> stations.stream().anyMatch(at -> ProcessCluster.isOf(process, at.worker())))
                    .toList();
            holders.clear();
            holders.addAll(there.stream()
                    .filter(process -> stations.stream()
                            .anyMatch(at -> ProcessCluster.isOf(process, at.worker()) && at.leases() > 0))
                    .toList());
            return there.size() == 2 && holders.size() == 1;
        });
        return holders.getFirst();
    }

    private static boolean of(Process process, RunEvent event) {
        return switch (event) {
            case WorkQueueEvent.LeaseExpired expired -> ProcessCluster.isOf(process, expired.worker());
            case WorkQueueEvent.WorkerLost lost -> lost.leases() > 0 && ProcessCluster.isOf(process, lost.worker());
            default -> false;
        };
    }

    /**
     * Measures from the start of a process until it is up, until it is admitted, and until its first image that counts,
     * with the embedded model.
     */
    private Map<String, List<Double>> joins() throws IOException, InterruptedException {
        List<String> settings = List.of(
                "rollout.groups-per-step=1",
                "rollout.images-per-group=4",
                "rollout.solver-steps=3",
                "training.unit-samples=4",
                "training.optimizer-steps=1",
                "limits.work-attempts-max=1000",
                "steps=1000000");
        Map<String, List<Double>> figures = new LinkedHashMap<>();
        try (ProcessCluster cluster = open(settings)) {
            started(cluster, "trainer");
            started(cluster, "reward");
            for (int trial = 0; trial < trials; trial++) {
                int before = cluster.heard();
                long began = System.nanoTime();
                Process process = cluster.start(List.of(), List.of("rollout"), List.of());
                Heard<ClusterEvent.MemberUp> up =
                        cluster.await(before, "a member is up", HEARD_WITHIN, ClusterEvent.MemberUp.class, _ -> true);
                Heard<NodeEvent.NodeJoined> joined = cluster.awaitJoined(before, process, HEARD_WITHIN);
                Heard<RunEvent.GroupCompared> image =
                        cluster.await(before, "images count", HEARD_WITHIN, RunEvent.GroupCompared.class, _ -> true);
                add(figures, "startToUpMs", (up.nanos() - began) / 1e6);
                add(figures, "startToLetInMs", (joined.nanos() - began) / 1e6);
                add(figures, "startToFirstCountedImageMs", (image.nanos() - began) / 1e6);
                add(figures, "residentDrawingMiB", residentMib(process));
                left(cluster, process);
            }
        }
        return figures;
    }

    /**
     * Measures from SIGTERM until the node is off the roster with all its work handed over, and until its process ends.
     */
    private Map<String, List<Double>> leaves() throws IOException, InterruptedException {
        Map<String, List<Double>> figures = new LinkedHashMap<>();
        try (ProcessCluster cluster = open(virtual(""))) {
            for (String role : List.of("rollout", "trainer", "reward")) {
                started(cluster, role);
            }
            for (int trial = 0; trial < trials; trial++) {
                Process process = started(cluster, "rollout");
                add(figures, "residentVirtualMiB", residentMib(process));
                long began = System.nanoTime();
                Heard<NodeEvent.NodeLeft> left = left(cluster, process);
                add(figures, "termToLeftMs", (left.nanos() - began) / 1e6);
                add(figures, "termToExitMs", (System.nanoTime() - began) / 1e6);
            }
        }
        return figures;
    }

    /** Asks the process to end; returns when it has. */
    private static Heard<NodeEvent.NodeLeft> left(ProcessCluster cluster, Process process) throws InterruptedException {
        int before = cluster.heard();
        process.destroy();
        Heard<NodeEvent.NodeLeft> left = cluster.awaitLeft(before, process, HEARD_WITHIN);
        if (!process.waitFor(HEARD_WITHIN.toMillis(), TimeUnit.MILLISECONDS) || process.exitValue() != 0) {
            throw new CommandFailedException(
                    "process %d has not left in good order%n%s".formatted(process.pid(), cluster.tale()));
        }
        return left;
    }

    private static void add(Map<String, List<Double>> figures, String name, double value) {
        figures.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
    }

    /** @param endless setting among rollout, score and unit; empty for none */
    private static List<String> virtual(String endless) {
        List<String> all = new ArrayList<>(List.of(
                "workers.device=virtual",
                "rollout.groups-per-step=1",
                "rollout.images-per-group=4",
                "training.unit-samples=4",
                "training.optimizer-steps=1",
                "limits.work-attempts-max=1000",
                "limits.stall-after=" + FOREVER,
                "steps=1000000"));
        for (String part : List.of("rollout", "score", "unit")) {
            all.add("workers.virtual." + part + "=" + (part.equals(endless) ? FOREVER : "100ms"));
        }
        return all;
    }

    private static double residentMib(Process process) throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D+", "")) / 1024)
                .findFirst()
                .orElse(Double.NaN);
    }
}
