package darkroom.runtime;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.Rows;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.run.DataSplits;
import darkroom.runtime.run.EditingPolicy;
import darkroom.runtime.run.RunInputs;
import darkroom.runtime.run.Scorers;
import darkroom.runtime.studies.HeldOutRollout;
import darkroom.runtime.studies.SuiteEvaluation;
import darkroom.runtime.studies.SuiteOptions;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Measures a checkpoint on held-out tasks, by judge and by ground truth, or has a judge score the images of a published
 * suite.
 */
@Command(
        name = "eval",
        customSynopsis = {
            "darkroom eval --checkpoint=C [--split=SPLIT] [--tasks=N] [--images=N] [--json[=FILE]] [--scorer=URL]..."
                    + " [--set=KEY=VALUE]...",
            "darkroom eval --suite=SUITE --items=FILE --images=DIR --judge=URL [--sources=DIR] [--model=NAME]"
                    + " [--out=OUT] [--language=LANG]... [--limit=N] [--concurrency=N] [--timeout=TIME] [--attempts=N]"
                    + " [--max-tokens=N] [--temperature=T]"
        },
        description = {
            "With --checkpoint: measures a checkpoint on held-out tasks, by judge and by ground truth. Rows and noise"
                    + " are the same in every evaluation, so two checkpoints can be compared image by image.",
            "",
            "With --suite: has a judge judge a directory of images, whatever model made them, by the protocol of a"
                + " published benchmark. An item without an image or without an answer that says its scores is"
                + " invalid: it is in no mean, and counted beside each. The same command again resumes where one was"
                + " cut short, and asks again for what was invalid only."
        })
final class EvalCommand implements Callable<Integer> {
    private static final String STANDARD_OUTPUT = "-";
    private static final List<String> OF_CHECKPOINTS =
            List.of("--checkpoint", "--split", "--tasks", "--json", "--scorer", "--set");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--checkpoint",
            paramLabel = "C",
            description =
                    "A run (its newest checkpoint), a checkpoint, a safetensors file, or a shipped base: mixed, clean.")
    private @Nullable String checkpoint;

    @Option(
            names = "--split",
            paramLabel = "SPLIT",
            converter = DatasetCommand.SplitLabel.class,
            completionCandidates = DatasetCommand.SplitLabels.class,
            description = "${COMPLETION-CANDIDATES}. Default: held-out")
    private Split split = Split.HELD_OUT;

    @Option(names = "--tasks", paramLabel = "N", description = "Rows. Default: setting evaluation.tasks")
    private @Nullable Integer tasks;

    @Option(
            names = "--images",
            paramLabel = "N|DIR",
            description = "With --checkpoint: edits per row; default: setting evaluation.images-per-task. With --suite:"
                    + " directory of the edited images.")
    private @Nullable String images;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            arity = "0..1",
            fallbackValue = STANDARD_OUTPUT,
            description = "Write the figures as JSON too; without FILE, to standard output in place of the table.")
    private @Nullable Path json;

    @Option(
            names = "--scorer",
            paramLabel = "URL",
            description = "An OpenAI-compatible scorer instead of the embedded judge; repeatable.")
    private List<URI> scorers = List.of();

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any other setting; repeatable.")
    private List<String> set = List.of();

    @ArgGroup(exclusive = false, heading = "%nA published suite:%n")
    private @Nullable SuiteOptions suite;

    @Override
    public Integer call() throws Exception {
        if (suite != null) {
            refuse(OF_CHECKPOINTS, "--suite");
            if (images == null) {
                throw new ParameterException(
                        spec.commandLine(), "--suite needs --images=DIR, the directory of the edited images");
            }
            return new SuiteEvaluation(suite, Path.of(images), spec.commandLine()).call();
        }
        if (checkpoint == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "name what is to be measured: --checkpoint=C, or --suite=SUITE with a directory of images");
        }
        return measure(checkpoint);
    }

    /** Refuses each of {@code options} that is given: none of them can be combined with {@code other}. */
    private void refuse(List<String> options, String other) {
        for (String option : options) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new ParameterException(
                        spec.commandLine(), "%s does not go with %s; leave one out".formatted(option, other));
            }
        }
    }

    private int measure(String checkpoint) throws Exception {
        EditingPolicy editing = EditingPolicy.load(checkpoint, overrides());
        Rows rows = DataSplits.rows(
                editing.settings(),
                split,
                editing.settings().evaluation().tasks(),
                spec.commandLine().getErr());
        rows.remarks().forEach(spec.commandLine().getErr()::println);
        if (set.stream().noneMatch(pair -> pair.startsWith("data."))) {
            RunInputs.requireRows(editing.settings(), split, rows, editing.run());
        }
        try (Scorers judge = Scorers.open(editing.settings().scoring())) {
            Measurement measurement = HeldOutRollout.of(
                    editing, rows, split.label(), judge, (evaluated, evaluator) -> evaluator.measure(evaluated));
            String figures = json(measurement, editing).toPrettyString() + "\n";
            if (json != null && json.equals(Path.of(STANDARD_OUTPUT))) {
                spec.commandLine().getOut().print(figures);
                spec.commandLine().getOut().flush();
            } else {
                print(measurement, editing, judge.describe());
                if (json != null) {
                    RunDirectory.write(json, figures);
                }
            }
            return (measurement.overall().unscored() > 0 ? ExitCode.UNSCORED : ExitCode.OK).code();
        }
    }

    private List<String> overrides() {
        List<String> all = new ArrayList<>(set);
        if (tasks != null) {
            all.add("evaluation.tasks=" + tasks);
        }
        if (images != null) {
            all.add("evaluation.images-per-task=" + images);
        }
        all.addAll(TrainCommand.endpoints(scorers));
        return all;
    }

    private void print(Measurement measurement, EditingPolicy editing, String judge) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%s on split %s, scored by %s%n%n", editing.name(), split.label(), judge);
        TextTable table =
                new TextTable().text("task").figures("edits", "ground truth", "judge", "PSNR outside", "unscored");
        measurement.perTask().forEach((task, averages) -> row(table, task, averages));
        row(table, "all", measurement.overall());
        table.print(spec.commandLine());
        out.flush();
    }

    private static void row(TextTable table, String name, Measurement.Averages averages) {
        table.row(
                name,
                averages.edits(),
                decimal(averages.groundTruth(), "%.3f"),
                decimal(averages.reward(), "%.3f"),
                decimal(averages.psnrOutside(), "%.1f dB"),
                averages.unscored());
    }

    private static String decimal(OptionalDouble value, String format) {
        return value.isPresent() ? String.format(Locale.ROOT, format, value.getAsDouble()) : "-";
    }

    private ObjectNode json(Measurement measurement, EditingPolicy editing) {
        ObjectNode all = new JsonMapper().createObjectNode();
        all.put("checkpoint", editing.name()).put("split", split.label());
        put(all.putObject("all"), measurement.overall());
        ObjectNode byTask = all.putObject("tasks");
        measurement.perTask().forEach((task, averages) -> put(byTask.putObject(task), averages));
        return all;
    }

    private static void put(ObjectNode into, Measurement.Averages averages) {
        into.put("edits", averages.edits()).put("unscored", averages.unscored());
        averages.groundTruth().ifPresent(value -> into.put("groundTruth", value));
        averages.reward().ifPresent(value -> into.put("reward", value));
        averages.psnrOutside().ifPresent(value -> into.put("psnrOutside", value));
    }
}
