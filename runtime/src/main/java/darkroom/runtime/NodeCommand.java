package darkroom.runtime;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.OwnAddress;
import darkroom.runtime.base.ProcessSpace;
import darkroom.runtime.cluster.ControlHeartbeat;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.NodeArguments;
import darkroom.runtime.cluster.Standby;
import darkroom.runtime.cluster.WorkerNode;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.RunEnvironment;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs a process of a cluster, which supervises a run or adds devices to one. */
@Command(
        name = "node",
        description = {
            "Starts a node of a cluster: the control node of a run, or one that brings devices into it.",
            "",
            "  darkroom node --roles control --config mine.conf --out runs/mine --set cluster.port=2551",
            "  darkroom node --roles control --standby --out runs/mine --set cluster.port=2552",
            "  darkroom node --roles rollout --join 10.0.0.1:2551 --set cluster.host=10.0.0.2 --devices 8",
            "",
            "A worker node takes the run's settings from the control node. SIGTERM and Ctrl-C: it takes no more work,"
                    + " hands over what it has, and leaves. It may be killed at any time: others do its work again."
        })
final class NodeCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(NodeCommand.class);
    private static final Set<String> ROLES = Set.of(ControlNode.ROLE, "rollout", "trainer", "reward");
    private static final int SECONDS_BEYOND_DRAIN = 15;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--roles",
            required = true,
            split = ",",
            paramLabel = "ROLE",
            description = "Any mix of control, rollout, trainer, reward.")
    private List<String> roles = List.of();

    @Option(
            names = "--config",
            paramLabel = "NAME|FILE",
            description =
                    "Recipe or HOCON file. Of a worker node only cluster.* and limits.* count. Default: embedded-demo")
    private @Nullable String config;

    @Option(
            names = "--join",
            split = ",",
            paramLabel = "HOST:PORT",
            description = "Where the control node is (setting cluster.seed-nodes), or one of several; repeatable.")
    private List<String> join = List.of();

    @Option(
            names = "--devices",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "CPU devices of each of the roles rollout and trainer, one thread each. Default: ${DEFAULT-VALUE}")
    private int devices;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Directory of the run, for role control. An existing run is resumed. Default:"
                    + " runs/RECIPE-seed-SEED")
    private @Nullable Path out;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting; repeatable.")
    private List<String> set = List.of();

    @Option(
            names = "--standby",
            description =
                    "With role control: waits until the control node of the run in --out is gone, and then continues"
                            + " the run. Both need the same directory.")
    private boolean standby;

    @Option(
            names = "--lives",
            hidden = true,
            defaultValue = "" + WorkerNode.INCARNATIONS_IN_VAIN_MAX,
            description = "Ends after this many incarnations that no control node admitted.")
    private int incarnations;

    @Option(
            names = "--parent",
            hidden = true,
            paramLabel = "PID@SPACE",
            description =
                    "Ends when this process has ended, if it is one of the process namespace that this one is in.")
    private @Nullable String parent;

    @Override
    public Integer call() throws Exception {
        Set<String> wanted = new LinkedHashSet<>(roles);
        for (String role : wanted) {
            if (!ROLES.contains(role)) {
                throw new ParameterException(
                        spec.commandLine(), "--roles: \"%s\" is not a role; allowed are %s".formatted(role, ROLES));
            }
        }
        if (devices < 1 || devices > 1024) {
            throw new ParameterException(spec.commandLine(), "--devices=" + devices + ": allowed are 1 to 1024");
        }
        if (standby && !wanted.contains(ControlNode.ROLE)) {
            throw new ParameterException(spec.commandLine(), "--standby is for a node with role control");
        }
        PrintWriter terminal = spec.commandLine().getOut();
        endWithParent();
        return (wanted.contains(ControlNode.ROLE)
                        ? control(List.copyOf(wanted), terminal)
                        : worker(List.copyOf(wanted), terminal))
                .code();
    }

    private ExitCode control(List<String> wanted, PrintWriter terminal) throws Exception {
        List<String> overrides = overrides();
        if (overrides.stream().anyMatch(NodeCommand::isDevices)) {
            throw new ParameterException(
                    spec.commandLine(), "a node has as many devices as --devices says; leave workers.*-devices out");
        }
        overrides.add("workers.rollout-devices=" + devices);
        overrides.add("workers.trainer-devices=" + devices);
        RunSettings settings = Recipes.load(config == null ? "embedded-demo" : config, overrides);
        Path directory = out == null ? Path.of("runs", settings.recipe() + "-seed-" + settings.seed()) : out;
        RunEnvironment.Opener environments = ControlNode.inSuccession(wanted, open -> open.say(terminal));
        if (standby) {
            Standby waiting = new Standby(directory, overrides, environments, WarmUpCommand::rehearse, terminal);
            return waiting.run(settings.cluster().controlSilentAfter());
        }
        requireNobodyActive(directory);
        return Files.isRegularFile(directory.resolve(LocalRun.SETTINGS))
                ? LocalRun.resume(directory, overrides, environments, terminal)
                : LocalRun.start(settings, directory, environments, terminal);
    }

    private static void requireNobodyActive(Path directory) {
        ControlHeartbeat.read(directory)
                .filter(heartbeat ->
                        !heartbeat.hasEnded() && heartbeat.process().isPresent())
                .ifPresent(heartbeat -> {
                    throw new CommandFailedException(
                            "control node %s at %s, process %d, works on %s; --standby waits for its end"
                                    .formatted(heartbeat.name(), heartbeat.address(), heartbeat.pid(), directory),
                            ExitCode.USAGE);
                });
    }

    static boolean isDevices(String pair) {
        return pair.startsWith("workers.rollout-devices") || pair.startsWith("workers.trainer-devices");
    }

    private ExitCode worker(List<String> wanted, PrintWriter terminal) throws InterruptedException {
        for (String pair : set) {
            if (!NodeArguments.isOfNode(pair)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--set %s has no effect on a worker node, which takes the run's settings from the control node; its own are cluster.*, limits.* and faults.*"
                                .formatted(pair));
            }
        }
        RunSettings settings = Recipes.load(config == null ? "embedded-demo" : config, overrides());
        if (settings.cluster().seedNodes().isEmpty()
                && settings.cluster().discoveryName().isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "nobody says where the control node is: --join HOST:PORT, cluster.seed-nodes or"
                            + " cluster.discovery-name");
        }
        OwnAddress.require(settings.cluster(), LOG::warn);
        CountDownLatch ended = new CountDownLatch(1);
        try (WorkerNode node = new WorkerNode(settings, wanted, devices, incarnations, line -> {
            terminal.println(line);
            terminal.flush();
        })) {
            long seconds = settings.cluster().drainTime().toSeconds() + SECONDS_BEYOND_DRAIN;
            // Handled here and not in a shutdown hook: a process that hooks end has no exit code of its own.
            leavesOn("TERM", node, ended, seconds);
            if (parent == null) {
                leavesOn("INT", node, ended, seconds);
            }
            return node.run();
        } finally {
            ended.countDown();
        }
    }

    private static void leavesOn(String signal, WorkerNode node, CountDownLatch ended, long secondsMax) {
        var _ = Signals.register(signal, () -> {
            node.leave("asked to end");
            Thread.ofPlatform().daemon().name("leave").start(() -> endWithin(secondsMax, ended));
        });
    }

    private static void endWithin(long secondsMax, CountDownLatch ended) {
        try {
            if (!ended.await(secondsMax, TimeUnit.SECONDS)) {
                System.err.println("darkroom: the node has not left in good order within " + secondsMax + " s");
                Runtime.getRuntime().halt(ExitCode.FAILED.code());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<String> overrides() {
        List<String> all = new ArrayList<>(set);
        if (!join.isEmpty()) {
            all.add("cluster.seed-nodes="
                    + join.stream().map(each -> '"' + each + '"').toList());
        }
        return all;
    }

    /**
     * Ends this process with its parent, which may be killed, so that no orphan remains. A terminal sends its signals
     * to both processes; the parent handles them.
     */
    private void endWithParent() {
        if (parent != null) {
            var _ = Signals.register("INT", () -> {});
            int at = parent.indexOf('@');
            if (!parent.substring(at + 1).equals(ProcessSpace.HERE.processes())) {
                return; // here this number is another process
            }
            ProcessHandle.of(Long.parseLong(parent.substring(0, at)))
                    .map(ProcessHandle::onExit)
                    .ifPresentOrElse(
                            end -> {
                                var _ = end.thenRun(() -> Runtime.getRuntime().halt(ExitCode.FAILED.code()));
                            },
                            () -> Runtime.getRuntime().halt(ExitCode.FAILED.code()));
        }
    }
}
