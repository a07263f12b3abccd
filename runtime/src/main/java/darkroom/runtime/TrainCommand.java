package darkroom.runtime;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.chaos.NodeCounts;
import darkroom.runtime.chaos.NodeProcesses;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.NodeArguments;
import darkroom.runtime.report.Logging;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.RunEnvironment;
import darkroom.runtime.run.RunFit;
import darkroom.runtime.run.ScorerProbe;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains by a recipe or a configuration file, or resumes a run. */
@Command(
        name = "train",
        description = {
            "Trains by a recipe or a configuration file, or resumes a run.",
            "",
            "An interrupt (Ctrl-C) commits the current step and writes a checkpoint; --resume continues the run, with"
                    + " the same result as if never stopped."
        })
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--recipe",
            paramLabel = "NAME|FILE",
            description = "Recipe that ships (embedded-demo, embedded-paper, embedded-paper-literal,"
                    + " embedded-flow-grpo, embedded-flow-grpo-local, flux-kontext, flux-kontext-ban,"
                    + " qwen-image-edit, qwen-image-edit-public, uniworld-v2) or a HOCON file. Default: embedded-demo")
    private @Nullable String recipe;

    @Option(
            names = "--resume",
            paramLabel = "RUN",
            description = "Resumes the run in this directory, from its newest whole checkpoint.")
    private @Nullable Path resume;

    @Option(names = "--out", paramLabel = "DIR", description = "Directory of the run. Default: runs/RECIPE-seed-SEED")
    private @Nullable Path out;

    @Option(names = "--steps", paramLabel = "N", description = "Training steps of the whole run (setting steps).")
    private @Nullable Integer steps;

    @Option(names = "--seed", paramLabel = "S", description = "Key of all randomness (setting seed).")
    private @Nullable Long seed;

    @Option(
            names = "--scorer",
            paramLabel = "URL",
            description = "An OpenAI-compatible scorer instead of the embedded judge; repeatable (setting"
                    + " scoring.endpoints). A token is taken from DARKROOM_SCORER_TOKEN.")
    private List<URI> scorers = List.of();

    @Option(
            names = "--rollout-devices",
            paramLabel = "N",
            description = "CPU devices that generate, one thread each. The result does not depend on it.")
    private @Nullable Integer rolloutDevices;

    @Option(
            names = "--trainer-devices",
            paramLabel = "N",
            description = "CPU devices that train, one thread each. The result does not depend on it.")
    private @Nullable Integer trainerDevices;

    @Option(
            names = "--nodes",
            paramLabel = "ROLE=N,...",
            converter = NodeCounts.Converter.class,
            description = "As a cluster of processes on this machine, for instance"
                    + " \"control=1,rollout=3,trainer=2,reward=1\", one device each; more nodes may join. Control nodes"
                    + " beyond the first wait, and resume the run if the first one is gone.")
    private @Nullable NodeCounts nodes;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any other setting; repeatable. 'darkroom config show' lists them.")
    private List<String> set = List.of();

    @Override
    public Integer call() throws Exception {
        PrintWriter terminal = spec.commandLine().getOut();
        requireEffect();
        List<String> overrides = overrides();
        Path goingOn = resume;
        if (goingOn != null) {
            if (recipe != null || out != null || seed != null) {
                throw new ParameterException(
                        spec.commandLine(), "--resume takes recipe, seed and directory from the run; leave them out");
            }
            probe(LocalRun.settingsOf(goingOn, overrides));
            return on(goingOn, overrides, environments -> LocalRun.resume(goingOn, overrides, environments, terminal))
                    .code();
        }
        RunSettings settings = Recipes.load(recipe == null ? "embedded-demo" : recipe, overrides);
        Path directory = out == null ? Path.of("runs", settings.recipe() + "-seed-" + settings.seed()) : out;
        RunFit.requireModel(settings);
        settings.requireScorer();
        LocalRun.requireFree(directory);
        probe(settings);
        return on(directory, overrides, environments -> LocalRun.start(settings, directory, environments, terminal))
                .code();
    }

    private void probe(RunSettings settings) {
        PrintWriter err = spec.commandLine().getErr();
        ScorerProbe.require(settings, System.getenv()).forEach(warning -> err.println("warn: " + warning));
        err.flush();
    }

    /** Refuses a setting of the command line that no component here reads, rather than drop it silently. */
    private void requireEffect() {
        if (nodes == null) {
            for (String pair : set) {
                if (pair.startsWith("cluster.") || pair.startsWith("faults.")) {
                    throw new ParameterException(
                            spec.commandLine(),
                            "--set %s has no effect on a run in one process; add --nodes, or use darkroom node"
                                    .formatted(pair));
                }
            }
        } else if (rolloutDevices != null
                || trainerDevices != null
                || set.stream().anyMatch(NodeCommand::isDevices)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--nodes starts processes of one device each; say how many there, not with --rollout-devices,"
                            + " --trainer-devices or workers.*-devices");
        }
    }

    @FunctionalInterface
    private interface Run {
        ExitCode on(RunEnvironment.Opener environments) throws IOException, InterruptedException;
    }

    /** Runs in this process, or as the control node of processes that are started once it admits them. */
    private ExitCode on(Path directory, List<String> overrides, Run run) throws IOException, InterruptedException {
        NodeCounts counts = nodes;
        if (counts == null) {
            return run.on(RunEnvironment.Alone::with);
        }
        PrintWriter terminal = spec.commandLine().getOut();
        Consumer<String> said = line -> Logging.terminal().say(line, terminal);
        try (NodeProcesses processes = new NodeProcesses(directory.resolve("nodes"), counts.standbys() > 0)) {
            return run.on(ControlNode.with(
                    List.of(ControlNode.ROLE),
                    open -> {
                        open.say(terminal);
                        List<String> joining =
                                new ArrayList<>(NodeArguments.joining(open, overrides, counts.standbys() == 0));
                        for (int i = 0; i < counts.standbys(); i++) {
                            int port = freePort();
                            joining.addAll(List.of(
                                    "--join", open.address().onPort(port).toString()));
                            processes.keep(List.of(ControlNode.ROLE), standby(directory, overrides, port), said);
                        }
                        for (String role : counts.roles()) {
                            processes.keep(List.of(role), joining, said);
                        }
                    },
                    processes::awaitLeft));
        }
    }

    private static List<String> standby(Path directory, List<String> overrides, int port) {
        List<String> arguments = new ArrayList<>(
                List.of("--standby", "--out", directory.toAbsolutePath().toString()));
        NodeArguments.ofCluster(overrides).forEach(pair -> arguments.addAll(List.of("--set", pair)));
        arguments.addAll(List.of("--set", "cluster.port=" + port));
        return arguments;
    }

    /**
     * Returns a port that is free now. If another process takes it before the standby does, the standby fails; the run
     * does not.
     */
    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no port is free for a standby", e);
        }
    }

    private List<String> overrides() {
        List<String> all = new ArrayList<>(set);
        add(all, "steps", steps);
        add(all, "seed", seed);
        add(all, "workers.rollout-devices", rolloutDevices);
        add(all, "workers.trainer-devices", trainerDevices);
        all.addAll(endpoints(scorers));
        NodeCounts counts = nodes;
        if (counts != null
                && counts.standbys() > 0
                && all.stream().noneMatch(pair -> pair.startsWith("checkpoints.every-steps"))) {
            all.add("checkpoints.every-steps=1"); // a standby resumes from the newest one
        }
        return all;
    }

    /** Returns the override that names these scorers; none if there are no scorers. */
    static List<String> endpoints(List<URI> scorers) {
        return scorers.isEmpty()
                ? List.of()
                : List.of("scoring.endpoints="
                        + scorers.stream().map(url -> "\"" + url + "\"").toList());
    }

    private static void add(List<String> all, String key, @Nullable Number value) {
        if (value != null) {
            all.add(key + "=" + value);
        }
    }
}
