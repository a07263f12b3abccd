package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.chaos.NodeProcesses;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.NodeArguments;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures the runtime overhead: whole steps with devices that take fixed times and compute nothing, against the time
 * of the longest chain of those times.
 */
@Command(
        name = "loop",
        description = {
            "Whole steps with virtual devices, which take fixed times: how much longer a step is than its critical"
                    + " path.",
            "",
            "With --jvms the devices are spread over processes of their own, which join as nodes do."
        })
public final class LoopBench implements Callable<Integer> {
    private static final Duration NODES_WITHIN = Duration.ofMinutes(3);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "8",
            description = "Rollout devices, and trainer devices. Default: ${DEFAULT-VALUE}")
    private int workers;

    @Option(
            names = "--jvms",
            paramLabel = "M",
            defaultValue = "0",
            description = "Processes that they are spread over; 0: all in this one. Default: ${DEFAULT-VALUE}")
    private int jvms;

    @Option(
            names = "--groups",
            paramLabel = "G",
            defaultValue = "0",
            description = "Groups per step, and gradient units per step. Default: as many as workers")
    private int groups;

    @Option(
            names = "--images",
            paramLabel = "K",
            defaultValue = "12",
            description = "Images per group. Default: ${DEFAULT-VALUE}")
    private int images;

    @Option(
            names = "--draw",
            paramLabel = "MS",
            defaultValue = "200",
            description = "Time of a group. Default: ${DEFAULT-VALUE}")
    private int rollout;

    @Option(
            names = "--score",
            paramLabel = "MS",
            defaultValue = "50",
            description = "Time of a score; all at once. Default: ${DEFAULT-VALUE}")
    private int score;

    @Option(
            names = "--unit",
            paramLabel = "MS",
            defaultValue = "100",
            description = "Time of a gradient unit. Default: ${DEFAULT-VALUE}")
    private int unit;

    @Option(
            names = "--steps",
            paramLabel = "S",
            defaultValue = "20",
            description = "Steps measured. Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "20",
            description =
                    "Steps before those that are measured; virtual machines compile during them, many at a time for"
                            + " hundreds of steps. Default: ${DEFAULT-VALUE}")
    private int warmUp;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any other setting; repeatable.")
    private List<String> set = List.of();

    @Override
    public Integer call() throws Exception {
        int groupsPerStep = groups == 0 ? workers : groups;
        List<String> all = new ArrayList<>(List.of(
                "workers.device=virtual",
                "workers.rollout-devices=" + workers,
                "workers.trainer-devices=" + workers,
                "workers.virtual.rollout=" + rollout + "ms",
                "workers.virtual.score=" + score + "ms",
                "workers.virtual.unit=" + unit + "ms",
                "rollout.groups-per-step=" + groupsPerStep,
                "rollout.images-per-group=" + images,
                "limits.groups-in-flight-max=" + groupsPerStep,
                "training.optimizer-steps=1",
                "training.timesteps-per-image=1",
                "training.unit-samples=" + images,
                "ledger.store=none",
                "limits.work-attempts-max=64",
                "steps=" + (steps + warmUp)));
        all.addAll(set);
        RunSettings settings = Precisions.decided(Recipes.load("embedded-demo", all));
        StepClock clock = new StepClock(jvms, warmUp);
        if (jvms == 0) {
            alone(settings, clock);
        } else {
            spread(settings, clock);
        }
        double bound = Math.ceilDiv(groupsPerStep, workers) * (double) (rollout + unit) + score;
        double median = clock.median();
        ObjectNode figures = new JsonMapper()
                .createObjectNode()
                .put("workers", workers)
                .put("jvms", jvms)
                .put("groups", groupsPerStep)
                .put("images", images)
                .put("boundMs", bound)
                .put("stepMs", Math.round(median * 10) / 10.0)
                .put("overBoundPercent", Math.round((median / bound - 1) * 1000) / 10.0)
                .put(
                        "controlCpuUsPerImage",
                        Math.round(clock.cpuNanos() / 1000.0 / (groupsPerStep * images) * 10) / 10.0);
        PrintWriter out = spec.commandLine().getOut();
        out.println(figures);
        out.flush();
        return ExitCode.OK.code();
    }

    private void alone(RunSettings settings, StepClock clock) throws IOException, InterruptedException {
        try (RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            Rehearsal.run(settings, clock, () -> {}, environment);
        }
    }

    private void spread(RunSettings settings, StepClock clock) throws IOException, InterruptedException {
        Path logs = Files.createTempDirectory("darkroom-loop");
        try (NodeProcesses processes = new NodeProcesses(logs)) {
            RunEnvironment.Opener opener = ControlNode.with(
                    List.of(ControlNode.ROLE),
                    open -> {
                        for (int i = 0; i < jvms; i++) {
                            List<String> arguments = new ArrayList<>(NodeArguments.joining(open, set));
                            int share = workers * (i + 1) / jvms - workers * i / jvms;
                            arguments.addAll(List.of("--devices", Integer.toString(Math.max(1, share))));
                            processes.start(List.of("rollout", "trainer", "reward"), arguments);
                        }
                    },
                    processes::awaitLeft);
            try (RunEnvironment environment = opener.open(settings)) {
                Rehearsal.run(settings, clock, clock::awaitNodes, environment);
            }
        }
        ProcessCluster.remove(logs); // logs of a failed run are kept
    }

    /** Records wall time, and processor time of this process, between commits. */
    private static final class StepClock implements RunListener {
        private final OperatingSystemMXBean machine =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        private final CountDownLatch nodes;
        private final int warmUp;
        private final List<Double> millis = new ArrayList<>();
        private final List<Double> cpu = new ArrayList<>();
        private long lastWall;
        private long lastCpu;

        StepClock(int nodes, int warmUp) {
            this.warmUp = warmUp;
            this.nodes = new CountDownLatch(nodes);
        }

        void awaitNodes() throws InterruptedException {
            if (!nodes.await(NODES_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new CommandFailedException(
                        "%d nodes have not joined within %s".formatted(nodes.getCount(), NODES_WITHIN));
            }
        }

        @Override
        public void heard(RunEvent event) {
            if (event instanceof NodeEvent.NodeJoined) {
                nodes.countDown();
            }
            if (event instanceof RunEvent.StepCommitted committed) {
                long wall = System.nanoTime();
                long used = machine.getProcessCpuTime();
                if (committed.step() >= warmUp) {
                    millis.add((wall - lastWall) / 1e6);
                    cpu.add((double) (used - lastCpu));
                }
                lastWall = wall;
                lastCpu = used;
            }
        }

        double median() {
            return median(millis);
        }

        double cpuNanos() {
            return median(cpu);
        }

        private static double median(List<Double> values) {
            double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
            Arrays.sort(sorted);
            return sorted[sorted.length / 2];
        }
    }
}
