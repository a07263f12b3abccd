package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures the cost of recoverability while nothing fails (promise P-10): whole steps with ledger, checkpoints and
 * heartbeats, and the same steps without, in turn.
 */
@Command(
        name = "recovery",
        description = {
            "Whole steps with ledger, checkpoints and heartbeats, and the same steps without them, in turn: how much"
                    + " longer a step takes, by pairs. The weights of both must be equal.",
            "",
            "A step's time is the mean of all but the first: what is done every few steps counts with its share. With"
                    + " --set workers.device=virtual devices take fixed times."
        })
public final class RecoveryBench implements Callable<Integer> {
    private static final List<String> WITHOUT =
            List.of("ledger.store=none", "limits.lease-time=10m", "limits.heartbeat-every=5m");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--pairs",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs of each kind, after one that warms up. Default: ${DEFAULT-VALUE}")
    private int pairs;

    @Option(
            names = "--steps",
            paramLabel = "S",
            defaultValue = "21",
            description = "Steps of each run. Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "S",
            defaultValue = "10",
            description = "Steps between checkpoints; a run has 50 by default. Default: ${DEFAULT-VALUE}")
    private int checkpointEvery;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any other setting; repeatable.")
    private List<String> set = List.of();

    @Override
    public Integer call() throws Exception {
        if (steps < 2 || pairs < 1) {
            throw new CommandFailedException(
                    "--steps=%d --pairs=%d: a pair needs two steps or more, and there must be one"
                            .formatted(steps, pairs),
                    ExitCode.USAGE);
        }
        List<String> all = new ArrayList<>(List.of("steps=" + steps, "checkpoints.every-steps=" + checkpointEvery));
        all.addAll(set);
        RunSettings with = Precisions.decided(Recipes.load("embedded-demo", all));
        all.addAll(WITHOUT);
        RunSettings without = Precisions.decided(Recipes.load("embedded-demo", all));
        PrintWriter out = spec.commandLine().getOut();
        Timed _ = run(with);
        List<Double> ratios = new ArrayList<>();
        List<Double> longer = new ArrayList<>();
        for (int pair = 0; pair < pairs; pair++) {
            boolean withFirst = pair % 2 == 0;
            Timed first = run(withFirst ? with : without);
            Timed second = run(withFirst ? without : with);
            Timed on = withFirst ? first : second;
            Timed off = withFirst ? second : first;
            if (!on.digests.equals(off.digests)) {
                throw new CommandFailedException("the runs differ: " + on.digests + " and " + off.digests);
            }
            ratios.add(on.millis / off.millis);
            longer.add(on.millis - off.millis);
            out.println(String.format(
                    Locale.ROOT,
                    "pair %d: %.1f ms per step with, %.1f ms without, %+.2f %%",
                    pair + 1,
                    on.millis,
                    off.millis,
                    (on.millis / off.millis - 1) * 100));
            out.flush();
        }
        ObjectNode figures = new JsonMapper()
                .createObjectNode()
                .put("pairs", pairs)
                .put("steps", steps)
                .put("checkpointEvery", checkpointEvery)
                .put("longerMsMedian", rounded(median(longer)))
                .put("longerPercentMedian", rounded((median(ratios) - 1) * 100));
        out.println(figures);
        out.flush();
        return ExitCode.OK.code();
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 100.0;
    }

    private record Timed(double millis, RunDigests digests) {}

    private static Timed run(RunSettings settings) throws IOException, InterruptedException {
        Stretch stretch = new Stretch();
        try (RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            RunDigests digests = settings.ledger().store() == LedgerSettings.Store.NONE
                    ? Rehearsal.run(settings, stretch, () -> {}, environment)
                    : Rehearsal.withCheckpoints(settings, stretch, environment);
            return new Timed(stretch.millisPerStep(), digests);
        }
    }

    /** The time from the first commit to the last. */
    private static final class Stretch implements RunListener {
        private long begun;
        private long last;
        private int commits;

        @Override
        public void heard(RunEvent event) {
            if (event instanceof RunEvent.StepCommitted) {
                last = System.nanoTime();
                begun = commits++ == 0 ? last : begun;
            }
        }

        double millisPerStep() {
            return (last - begun) / 1e6 / (commits - 1);
        }
    }
}
