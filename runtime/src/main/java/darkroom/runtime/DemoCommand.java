package darkroom.runtime;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.run.DemoPlan;
import darkroom.runtime.run.FirstSteps;
import darkroom.runtime.run.LocalRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains the embedded model for a few minutes and writes a report. */
@Command(
        name = "demo",
        description = {
            "Post-trains the embedded image-editing model for a few minutes, without GPU or network, and writes a"
                    + " report.",
            "",
            "As 'train --recipe embedded-demo' with the number of steps that fits: real actors, a real judge behind"
                    + " HTTP on loopback, held-out tasks measured before and after against exact targets."
        })
public final class DemoCommand implements Callable<Integer> {
    private static final String RECIPE = "embedded-demo";
    private static final double MINUTES = 6;
    private static final int MINUTES_MAX = 1440;
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm", Locale.ROOT);
    private static final List<String> QUICK =
            List.of("steps=5", "evaluation.tasks=24", "evaluation.images-per-task=2", "evaluation.every-steps=0");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Key of all randomness. Default: ${DEFAULT-VALUE}",
            defaultValue = "0")
    private long seed;

    @Option(names = "--out", paramLabel = "DIR", description = "Directory of the run. Default: runs/demo-seed-SEED")
    private @Nullable Path place;

    @Option(names = "--quick", description = "A few steps only: shows that everything works, not that it learns.")
    private boolean quick;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            description = "How long it may take. The first steps are measured, and as many are taken as fit, from "
                    + DemoPlan.STEPS_MIN + ", fewer of which do not learn, to the recipe's 160. Default: 6")
    private @Nullable Double minutes;

    @Override
    public Integer call() throws Exception {
        requireMinutes();
        PrintWriter out = spec.commandLine().getOut();
        Path directory = place == null ? free(Path.of("runs", (quick ? "quick-seed-" : "demo-seed-") + seed)) : place;
        LocalRun.requireFree(directory);
        List<String> overrides = new ArrayList<>(List.of("seed=" + seed));
        overrides.addAll(quick ? QUICK : fitting(Recipes.load(RECIPE, overrides), InstantSource.system(), out));
        ExitCode code = LocalRun.start(Recipes.load(RECIPE, overrides), directory, out);
        if (!quick) {
            out.println("the same run again: ./darkroom train --recipe %s --seed %d --out DIR %s"
                    .formatted(
                            RECIPE,
                            seed,
                            overrides.stream()
                                    .skip(1)
                                    .map(pair -> "--set " + pair)
                                    .collect(Collectors.joining(" "))));
            out.flush();
        }
        return code.code();
    }

    private void requireMinutes() {
        if (minutes == null) {
            return;
        }
        if (quick) {
            throw new ParameterException(
                    spec.commandLine(), "--quick takes five steps however long they take; leave --minutes out");
        }
        if (!(minutes > 0 && minutes <= MINUTES_MAX)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes=%s: allowed are numbers above 0, to %d".formatted(minutes, MINUTES_MAX));
        }
    }

    /** Returns the overrides of a run that fits into the time limit, which starts now. */
    private List<String> fitting(RunSettings recipe, InstantSource clock, PrintWriter out)
            throws IOException, InterruptedException {
        Duration within = Duration.ofMillis(Math.round((minutes == null ? MINUTES : minutes) * 60_000));
        Instant end = clock.instant().plus(within);
        say(out, "measuring the first steps, to see how many fit into %s".formatted(minutes(within)));
        FirstSteps.Speed speed = FirstSteps.measure(
                Precisions.decided(recipe), clock, spec.commandLine().getErr(), line -> say(out, line));
        Instant now = clock.instant();
        DemoPlan plan = DemoPlan.of(recipe, speed, Duration.between(now, end));
        say(out, announcement(plan, speed, recipe, now, within));
        return plan.overrides();
    }

    public static String announcement(
            DemoPlan plan, FirstSteps.Speed speed, RunSettings recipe, Instant now, Duration within) {
        String steps = plan.fits()
                ? "%d of the recipe's %d steps fit into %s".formatted(plan.steps(), recipe.steps(), minutes(within))
                : "%d steps, which do not fit into %s: fewer do not learn".formatted(plan.steps(), minutes(within));
        String tasks = plan.tasks() < recipe.evaluation().tasks()
                ? ", with %d of %d held-out tasks measured"
                        .formatted(plan.tasks(), recipe.evaluation().tasks())
                : "";
        return String.format(
                Locale.ROOT,
                "a step takes %.1f s here: %s%s; done at about %s",
                speed.step().toNanos() / 1e9,
                steps,
                tasks,
                CLOCK.format(now.plus(plan.takes()).atZone(ZoneId.systemDefault())));
    }

    private static String minutes(Duration time) {
        return new DecimalFormat("0.#", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(time.toSeconds() / 60.0)
                + " minutes";
    }

    private static void say(PrintWriter out, String line) {
        out.println(line);
        out.flush();
    }

    /** Returns the directory, or the first of DIR-2, DIR-3, ... that does not exist, so that a demo can be repeated. */
    private static Path free(Path wanted) {
        Path free = wanted;
        for (int i = 2; Files.exists(free); i++) {
            free = wanted.resolveSibling(wanted.getFileName() + "-" + i);
        }
        return free;
    }
}
