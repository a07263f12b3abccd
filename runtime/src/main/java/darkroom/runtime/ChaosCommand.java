package darkroom.runtime;

import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.config.ErrorReason;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.HtmlPages;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.bench.ProcessCluster;
import darkroom.runtime.chaos.ChaosPage;
import darkroom.runtime.chaos.ChaosPlan;
import darkroom.runtime.chaos.ChaosReport;
import darkroom.runtime.chaos.ChaosRun;
import darkroom.runtime.chaos.Divergence;
import darkroom.runtime.chaos.NodeCounts;
import darkroom.runtime.chaos.RunAudit;
import darkroom.runtime.faults.FaultKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Disturbs a run with injected faults and compares it with the same run left undisturbed. */
@Command(
        name = "chaos",
        description = {
            "Runs a small run as a cluster of processes on this machine, undisturbed, and then again while faults"
                    + " happen to it by a plan and by chance; and demands that every such run ends in the same weights,"
                    + " optimizer and decisions, that its ledger keeps its laws, and that every fault has a witness.",
            "",
            "  darkroom chaos --plan config/chaos/kill-everything.conf --seed 7",
            "",
            "Writes chaos.html, chaos.json and the directory of every run below --out. Exit code 1 if anything is"
                    + " wrong.",
            "docs/chaos.md has the form of a plan and the kinds of faults."
        })
final class ChaosCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--plan", required = true, paramLabel = "FILE", description = "HOCON file: what is to happen.")
    private Path plan;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seed of random faults in the first run; further runs count up. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--nodes",
            paramLabel = "ROLE=N,...",
            description = "Processes of each role, instead of those of the plan.")
    private @Nullable String nodes;

    @Option(names = "--steps", paramLabel = "N", description = "Steps of each run, instead of those of the plan.")
    private @Nullable Integer steps;

    @Option(names = "--runs", paramLabel = "N", description = "Disturbed runs, instead of those of the plan.")
    private @Nullable Integer runs;

    @Option(
            names = "--deaths",
            paramLabel = "N",
            description = "Adds runs until this many processes have died in all of them.")
    private int deaths;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Must be empty or not there. Default: runs/chaos-PLAN-seed-SEED")
    private @Nullable Path out;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting of the runs; repeatable.")
    private List<String> set = List.of();

    @Option(names = "--keep", description = "Keeps the checkpoints of runs that passed, too.")
    private boolean keep;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter terminal = spec.commandLine().getOut();
        ChaosPlan read = ChaosPlan.read(plan);
        ChaosPlan wanted = read.with(
                nodes == null ? read.nodes() : ChaosPlan.counts(nodes, "--nodes"),
                steps == null ? OptionalInt.empty() : OptionalInt.of(steps),
                runs == null ? OptionalInt.empty() : OptionalInt.of(runs),
                set);
        Path directory = directory();
        Files.createDirectories(directory);
        terminal.printf(
                "%s: undisturbed first, %d steps by %s%n", wanted.title(), wanted.steps(), text(wanted.nodes()));
        terminal.flush();
        Path quiet = directory.resolve("undisturbed");
        ChaosReport.Run undisturbed;
        LedgerSnapshot snapshot;
        try (ChaosRun run = new ChaosRun("undisturbed", quiet, wanted, List.of(), seed, terminal)) {
            undisturbed = run.run();
            if (!undisturbed.passed()) {
                throw new CommandFailedException("the undisturbed run failed: " + undisturbed.wrong());
            }
            snapshot = RunAudit.of(quiet).snapshot();
        }
        terminal.printf(Locale.ROOT, "undisturbed: %.1f s%n", undisturbed.seconds());
        List<ChaosReport.Run> all = new ArrayList<>();
        ChaosReport report = report(wanted, undisturbed, all);
        for (int i = 0; i < wanted.runs() || report.deaths() < deaths; i++) {
            ChaosReport.Run done = disturbed(wanted, directory, seed + i, undisturbed, snapshot, terminal);
            all.add(done);
            report = report(wanted, undisturbed, all);
            write(report, directory);
            say(done, report, terminal);
        }
        terminal.printf(
                "%d runs, %d deaths of processes: %s%n%s%n",
                all.size(),
                report.deaths(),
                report.passed() ? "all ended as the undisturbed run" : "NOT all ended as the undisturbed run",
                directory.resolve("chaos.html"));
        terminal.flush();
        return (report.passed() ? ExitCode.OK : ExitCode.FAILED).code();
    }

    private Path directory() throws IOException {
        String name = plan.getFileName().toString().replaceAll("\\.conf$", "");
        Path directory =
                (out == null ? Path.of("runs", "chaos-%s-seed-%d".formatted(name, seed)) : out).toAbsolutePath();
        if (Files.exists(directory)) {
            try (Stream<Path> there = Files.list(directory)) {
                if (there.findAny().isPresent()) {
                    throw new CommandFailedException(
                            directory + " is not empty; name another directory with --out", ExitCode.USAGE);
                }
            }
        }
        return directory;
    }

    private ChaosReport.Run disturbed(
            ChaosPlan wanted,
            Path directory,
            long ofRun,
            ChaosReport.Run undisturbed,
            LedgerSnapshot snapshot,
            PrintWriter terminal)
            throws IOException, InterruptedException {
        String name = "run-" + ofRun;
        try (ChaosRun run =
                new ChaosRun(name, directory.resolve(name), wanted, wanted.schedule(ofRun), ofRun, terminal)) {
            ChaosReport.Run done = judged(run.run(), run.directory(), undisturbed, snapshot);
            if (done.passed() && !keep) {
                ProcessCluster.remove(run.directory().resolve("checkpoints"));
            }
            return done;
        }
    }

    /** Checks a disturbed run against the undisturbed run and the laws. */
    private static ChaosReport.Run judged(
            ChaosReport.Run run, Path directory, ChaosReport.Run undisturbed, LedgerSnapshot snapshot)
            throws IOException {
        List<String> wrong = new ArrayList<>(run.wrong());
        List<String> findings = List.of();
        Optional<Divergence.Difference> divergence = Optional.empty();
        boolean equal = run.digests() != null && run.digests().equals(undisturbed.digests());
        if (Files.exists(new RunDirectory(directory).settings())) {
            try {
                RunAudit audit = RunAudit.of(directory);
                // A torn checkpoint is an injected fault, and the audit is right to find it.
                findings = audit.findings().stream()
                        .filter(finding -> !isTorn(run, finding))
                        .map(RunAudit.Finding::text)
                        .toList();
                divergence = Divergence.between(snapshot, audit.snapshot());
                findings.forEach(finding -> wrong.add("the audit found: " + finding));
            } catch (CommandFailedException e) {
                wrong.add("the ledger cannot be read: " + ErrorReason.of(e));
            }
        }
        if (!equal) {
            wrong.add("the digests are not those of the undisturbed run"
                    + divergence
                            .map(different -> "; first different: " + different.text())
                            .orElse(""));
        }
        double goodput = rate(run) / rate(undisturbed);
        return new ChaosReport.Run(
                run.name(),
                run.seed(),
                run.end(),
                run.seconds(),
                run.digests(),
                equal,
                divergence,
                findings,
                run.deaths(),
                run.redone(),
                Double.isFinite(goodput) ? OptionalDouble.of(goodput) : OptionalDouble.empty(),
                run.commits(),
                run.faults(),
                run.incarnations(),
                wrong);
    }

    private static boolean isTorn(ChaosReport.Run run, RunAudit.Finding finding) {
        return finding.kind() == RunAudit.Finding.Kind.LEARNER_FILE
                && run.faults().stream().anyMatch(fault -> fault.kind() == FaultKind.TORN_CHECKPOINT);
    }

    /** Returns the steps per second, from the first commit to the last. */
    private static double rate(ChaosReport.Run run) {
        return run.commits().size() < 2
                ? Double.NaN
                : (run.commits().size() - 1)
                        / (run.commits().getLast() - run.commits().getFirst());
    }

    private ChaosReport report(ChaosPlan wanted, ChaosReport.Run undisturbed, List<ChaosReport.Run> all) {
        return new ChaosReport(
                wanted.title(),
                plan.toString(),
                seed,
                text(wanted.nodes()),
                wanted.steps(),
                undisturbed,
                all,
                all.stream().allMatch(ChaosReport.Run::passed));
    }

    private static String text(NodeCounts counts) {
        return "control=%d,rollout=%d,trainer=%d,reward=%d"
                .formatted(counts.control(), counts.rollout(), counts.trainer(), counts.reward());
    }

    private static void write(ChaosReport report, Path directory) throws IOException {
        RunDirectory.write(
                directory.resolve("chaos.json"),
                JsonLines.JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(report));
        RunDirectory.write(directory.resolve("chaos.html"), HtmlPages.render("chaos.ftlh", ChaosPage.of(report)));
    }

    private static void say(ChaosReport.Run run, ChaosReport report, PrintWriter terminal) {
        terminal.printf(
                Locale.ROOT,
                "%s: %s, %d faults, %d deaths, %.1f s, goodput %s; %d deaths so far%n",
                run.name(),
                run.passed() ? "equal" : "FAILED",
                run.faults().size(),
                run.deaths(),
                run.seconds(),
                ChaosPage.median(List.of(run.goodput())),
                report.deaths());
        run.wrong().forEach(line -> terminal.println("  " + line));
        terminal.flush();
    }
}
