package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.ErrorReason;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.chaos.NodeCounts;
import darkroom.runtime.chaos.NodeProcesses;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.NodeArguments;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Verifies promise P-1 across processes: the same run with other numbers of nodes, and with nodes that join, leave, are
 * killed and are stopped during the run, must end in the same digests as in one process.
 */
@Command(
        name = "schedules",
        description = {
            "The same run again and again as a cluster of processes, with joins, leaves, kills and stops at random:"
                    + " each must end in the digests of the undisturbed run in one process.",
            "",
            "Each schedule is a function of its seed, except for the timing of the machine. Exit code 1 if a digest"
                    + " differs."
        })
public final class ScheduleBench implements Callable<Integer> {
    private static final List<Integer> ROLLOUTS = List.of(1, 2, 3, 5);
    private static final List<Integer> TRAINERS = List.of(1, 2, 3);
    private static final int PROCESSES_MAX = 12;
    private static final List<String> SMALL = List.of(
            "rollout.groups-per-step=4",
            "rollout.images-per-group=4",
            "rollout.solver-steps=3",
            "training.unit-samples=4",
            "training.optimizer-steps=2");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seed of the first schedule; the next ones count up. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "20",
            description = "Schedules. Default: ${DEFAULT-VALUE}")
    private int count;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "12",
            description = "Steps of each run. Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--calm",
            description = "No faults: every number of nodes once, 1, 2, 3, 5 of rollout and 1, 2, 3 of trainer.")
    private boolean calm;

    @Option(
            names = "--rollout",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,2,3,5",
            description = "With --calm: numbers of rollout nodes. Default: ${DEFAULT-VALUE}")
    private List<Integer> rollouts = ROLLOUTS;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting; repeatable.")
    private List<String> set = List.of();

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        RunSettings settings = settings(steps, set);
        RunDigests expected = alone(settings);
        out.println("one process: weights " + expected.weights());
        out.flush();
        int unequal = 0;
        for (Schedule schedule : schedules()) {
            String line;
            try {
                Outcome outcome = run(settings, schedule);
                boolean equal = outcome.digests().equals(expected);
                unequal += equal ? 0 : 1;
                line = "%s, %d nodes gone, %s: %s"
                        .formatted(
                                schedule,
                                outcome.gone(),
                                outcome.happened(),
                                equal ? "equal" : "DIFFERENT " + outcome.digests());
            } catch (CommandFailedException e) {
                unequal++;
                line = schedule + ": FAILED " + ErrorReason.of(e);
            }
            out.println(line);
            out.flush();
        }
        out.println(new JsonMapper()
                .createObjectNode()
                .put("schedules", schedules().size())
                .put("unequal", unequal));
        out.flush();
        return (unequal == 0 ? ExitCode.OK : ExitCode.FAILED).code();
    }

    /**
     * Start and faults of a run.
     *
     * @param seed decides which nodes start, and which faults happen when; negative for none
     */
    public record Schedule(long seed, int rollout, int trainer) {
        public static Schedule of(long seed) {
            RandomGenerator chance = chance(seed);
            return new Schedule(
                    seed, ROLLOUTS.get(chance.nextInt(ROLLOUTS.size())), TRAINERS.get(chance.nextInt(TRAINERS.size())));
        }

        @Override
        public String toString() {
            return "%s rollout %d, trainer %d".formatted(seed < 0 ? "calm" : "seed " + seed, rollout, trainer);
        }
    }

    /**
     * Result of a run.
     *
     * @param gone nodes that left or fell silent
     * @param happened faults of processes, and the steps, in order of time
     */
    public record Outcome(RunDigests digests, int gone, List<String> happened) {}

    private List<Schedule> schedules() {
        List<Schedule> all = new ArrayList<>();
        if (calm) {
            rollouts.forEach(rollout -> TRAINERS.forEach(trainer -> all.add(new Schedule(-1, rollout, trainer))));
            return all;
        }
        for (long each = seed; each < seed + count; each++) {
            all.add(Schedule.of(each));
        }
        return all;
    }

    private static RandomGenerator chance(long seed) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** Returns the settings of a run of small steps. */
    public static RunSettings settings(int steps, List<String> overrides) {
        List<String> all = new ArrayList<>(SMALL);
        all.add("steps=" + steps);
        all.add("limits.work-attempts-max=64");
        all.addAll(overrides);
        return Precisions.decided(Recipes.load("embedded-demo", all));
    }

    /** Returns the digests of the run in one process. */
    public static RunDigests alone(RunSettings settings) throws IOException, InterruptedException {
        try (RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            return Rehearsal.run(settings, _ -> {}, () -> {}, environment);
        }
    }

    /** Runs with processes that come and go as the schedule says. */
    public static Outcome run(RunSettings settings, Schedule schedule) throws IOException, InterruptedException {
        Path logs = Files.createTempDirectory("darkroom-schedule");
        AtomicInteger gone = new AtomicInteger();
        RunDigests digests;
        List<String> happened;
        try (NodeProcesses processes = new NodeProcesses(logs)) {
            Happenings happenings = new Happenings(processes, schedule);
            RunEnvironment.Opener opener = ControlNode.with(
                    List.of(ControlNode.ROLE),
                    open -> happenings.begin(NodeArguments.joining(open, List.of())),
                    happenings::end);
            try (RunEnvironment environment = opener.open(settings)) {
                digests = Rehearsal.run(
                        settings,
                        event -> {
                            if (event instanceof RunEvent.StepCommitted committed) {
                                happenings.committed(committed.step());
                            }
                            if (event instanceof NodeEvent.NodeLeft) {
                                gone.incrementAndGet();
                            }
                        },
                        () -> {},
                        environment);
            }
            happened = List.copyOf(happenings.happened);
        }
        ProcessCluster.remove(logs); // logs of a failed run are kept
        return new Outcome(digests, gone.get(), happened);
    }

    /** Random faults of the processes during the run. */
    private static final class Happenings {
        private final NodeProcesses processes;
        private final Schedule schedule;
        private final RandomGenerator chance;
        private final List<Node> alive = new ArrayList<>();
        private final List<String> happened = new ArrayList<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private List<String> joining = List.of();
        private int started;

        private record Node(String role, Process process) {}

        Happenings(NodeProcesses processes, Schedule schedule) {
            this.processes = processes;
            this.schedule = schedule;
            this.chance = chance(schedule.seed());
        }

        synchronized void begin(List<String> arguments) {
            joining = arguments;
            new NodeCounts(1, schedule.rollout(), schedule.trainer(), 1).roles().forEach(this::start);
            if (schedule.seed() >= 0) {
                Thread.ofPlatform().daemon().name("happenings").start(this::untilTheEnd);
            }
        }

        private void start(String role) {
            alive.add(new Node(role, processes.start(List.of(role), joining)));
            started++;
        }

        synchronized void committed(int step) {
            happened.add("step " + step);
        }

        void end() {
            ended.countDown();
            processes.awaitLeft();
        }

        private void untilTheEnd() {
            try {
                while (!ended.await(300 + chance.nextInt(1500), TimeUnit.MILLISECONDS)) {
                    happen();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void happen() {
            int dice = chance.nextInt(10);
            Node node = alive.get(chance.nextInt(alive.size()));
            if (dice < 4 && started < PROCESSES_MAX) {
                String role = List.of("rollout", "rollout", "trainer", "reward").get(chance.nextInt(4));
                happened.add("+" + role);
                start(role);
            } else if (dice < 7) {
                happened.add("kill " + node.role());
                node.process().destroyForcibly();
                leaves(node);
            } else if (dice < 8) {
                happened.add("leave " + node.role());
                node.process().destroy();
                leaves(node);
            } else {
                happened.add("stop " + node.role());
                processes.stopFor(node.process(), 500 + chance.nextInt(3000));
            }
        }

        /** Removes a node. A role without any node is restored after a while in which the run waits. */
        private void leaves(Node node) {
            alive.remove(node);
            if (alive.stream().noneMatch(other -> other.role().equals(node.role()))) {
                happened.add("+" + node.role());
                start(node.role());
            }
        }
    }
}
