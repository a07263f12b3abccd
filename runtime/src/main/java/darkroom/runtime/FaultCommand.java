package darkroom.runtime;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import darkroom.config.ErrorReason;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.FaultPort;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Injects faults into running nodes, lists them and ends them. */
@Command(
        name = "fault",
        description = {
            "Makes something happen to nodes of this machine that run with faults.enabled=true, shows what was made to"
                    + " happen, and ends it.",
            "",
            "  darkroom fault inject slow-device --node rollout --for 10s --delay 500ms",
            "  darkroom fault list",
            "  darkroom fault heal"
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {FaultCommand.Inject.class, FaultCommand.Show.class, FaultCommand.Heal.class})
final class FaultCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Selection of nodes. */
    static final class Nodes {
        @Option(
                names = "--node",
                paramLabel = "NODE",
                description = "URL of a status page, a process, or part of a node's name, for instance its role."
                        + " Default: all of this machine.")
        private @Nullable String node;

        private List<Target> meant() throws IOException {
            List<Target> all = new ArrayList<>();
            String wanted = node == null ? "" : node;
            if (wanted.startsWith("http://")) {
                return List.of(new Target(0, wanted, wanted));
            }
            for (Target process : Target.ofThisMachine()) {
                if (process.name().contains(wanted)
                        || Long.toString(process.pid()).equals(wanted)) {
                    all.add(process);
                }
            }
            if (all.isEmpty()) {
                throw new CommandFailedException(
                        "no node of this machine %s".formatted(wanted.isEmpty() ? "is there" : "is " + wanted),
                        ExitCode.USAGE);
            }
            return all;
        }
    }

    /** A node with a status page. */
    private record Target(long pid, String name, String page) {
        static List<Target> ofThisMachine() throws IOException {
            List<Target> all = new ArrayList<>();
            for (StatusPage.Found found : StatusPage.ofThisMachine()) {
                String name = Optional.of(found)
                        .filter(StatusPage.Found::process)
                        .flatMap(page -> ProcessHandle.of(page.pid()))
                        .flatMap(handle -> handle.info().arguments())
                        .map(Target::roles)
                        .orElse("node");
                all.add(new Target(found.pid(), name + "-" + found.pid(), found.url()));
            }
            return all;
        }

        private static String roles(String... arguments) {
            int at = Arrays.asList(arguments).indexOf("--roles");
            return at >= 0 && at + 1 < arguments.length ? arguments[at + 1] : ControlNode.ROLE;
        }
    }

    /** Injects a fault. */
    @Command(name = "inject", description = "Makes a fault happen; 'darkroom fault inject --kinds' lists them.")
    static final class Inject implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "KIND", arity = "0..1", description = "What; --kinds lists them.")
        private @Nullable String kind;

        @Option(names = "--kinds", description = "Lists all kinds, and ends.")
        private boolean kinds;

        @Mixin
        private Nodes nodes = new Nodes();

        @Option(
                names = "--for",
                paramLabel = "TIME",
                description = "How long, for instance 500ms, 10s. 0s: until healed.")
        private @Nullable String lasting;

        @Option(names = "--share", paramLabel = "P", description = "Share of messages or answers, in (0, 1].")
        private @Nullable Double share;

        @Option(names = "--delay", paramLabel = "TIME", description = "Of slow-device and clock-jump.")
        private @Nullable String delay;

        @Option(names = "--direction", paramLabel = "both|in|out", description = "Of partition and artery-cut.")
        private @Nullable String direction;

        @Option(names = "--peer", paramLabel = "ROLE", description = "Of partition and artery-cut: only with these.")
        private @Nullable String peer;

        @Option(names = "--moment", paramLabel = "MOMENT", description = "Of kill-at.")
        private @Nullable String moment;

        @Option(names = "--count", paramLabel = "N", description = "Maximum number of effects. 0: no limit.")
        private @Nullable Integer count;

        @Override
        public Integer call() throws IOException, InterruptedException {
            PrintWriter out = spec.commandLine().getOut();
            if (kinds) {
                TextTable table = new TextTable().text("", "");
                for (FaultKind each : FaultKind.values()) {
                    if (each.scope() == FaultKind.Scope.NODE) {
                        table.row(each, each.meaning());
                    }
                }
                table.print(out, OptionalInt.empty());
                out.println("moments of kill-at: "
                        + Arrays.stream(FaultMoment.values())
                                .map(FaultMoment::toString)
                                .collect(Collectors.joining(", ")));
                out.flush();
                return ExitCode.OK.code();
            }
            if (kind == null) {
                throw new ParameterException(spec.commandLine(), "which fault? --kinds lists them");
            }
            FaultOrder order = order(kind);
            try (HttpClient http = HttpClient.newHttpClient()) {
                for (Target process : nodes.meant()) {
                    int id = FaultPort.at(http, process.page()).inject(order);
                    out.printf("%s: fault %d, %s%n", process.name(), id, order.text());
                }
            }
            out.flush();
            return ExitCode.OK.code();
        }

        private static long millis(String text) {
            try {
                return ConfigFactory.parseMap(Map.of("time", text))
                        .getDuration("time")
                        .toMillis();
            } catch (ConfigException e) {
                throw new IllegalArgumentException("\"%s\" is no time, as 500ms, 10s".formatted(text), e);
            }
        }

        private FaultOrder order(String name) {
            try {
                FaultOrder usual = FaultOrder.usual(FaultKind.of(name));
                return new FaultOrder(
                        usual.kind(),
                        lasting == null ? usual.forMillis() : millis(lasting),
                        share == null ? usual.share() : share,
                        delay == null ? usual.delayMillis() : millis(delay),
                        direction == null ? usual.direction() : FaultOrder.Direction.of(direction),
                        peer == null ? usual.peer() : peer,
                        moment == null ? usual.moment() : Optional.of(FaultMoment.of(moment)),
                        count == null ? usual.count() : count);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), ErrorReason.of(e), e);
            }
        }
    }

    /** Lists injected faults. */
    @Command(name = "list", description = "Shows the faults of nodes, with how often each has had an effect.")
    static final class Show implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Mixin
        private Nodes nodes = new Nodes();

        @Override
        public Integer call() throws IOException, InterruptedException {
            try (HttpClient http = HttpClient.newHttpClient()) {
                for (Target process : nodes.meant()) {
                    print(spec, process, FaultPort.at(http, process.page()).list());
                }
            }
            return ExitCode.OK.code();
        }
    }

    /** Ends faults. */
    @Command(name = "heal", description = "Ends a fault, or all.")
    static final class Heal implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "ID", arity = "0..1", defaultValue = "0", description = "Of one fault. Default: all.")
        private int id;

        @Mixin
        private Nodes nodes = new Nodes();

        @Override
        public Integer call() throws IOException, InterruptedException {
            try (HttpClient http = HttpClient.newHttpClient()) {
                for (Target process : nodes.meant()) {
                    print(spec, process, FaultPort.at(http, process.page()).heal(id));
                }
            }
            return ExitCode.OK.code();
        }
    }

    private static void print(CommandSpec spec, Target process, List<NodeFaults.Seen> faults) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%s: %s%n", process.name(), faults.isEmpty() ? "no faults" : faults.size() + " faults");
        TextTable table = new TextTable("  ")
                .figures("id")
                .text("fault")
                .figures("effects")
                .text("state");
        for (NodeFaults.Seen fault : faults) {
            table.row(fault.id(), fault.what(), fault.hits(), fault.active() ? "active" : "over");
        }
        if (!faults.isEmpty()) {
            table.print(out, TextTable.terminalColumns(spec.commandLine()));
        }
        out.flush();
    }
}
