package darkroom.runtime;

import com.fasterxml.jackson.databind.node.TextNode;
import darkroom.actors.device.ScoreOutcome;
import darkroom.config.ErrorReason;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.ScoringSettings;
import darkroom.edittasks.datasets.OutputFile;
import darkroom.edittasks.pictures.FileFault;
import darkroom.rewardactors.client.ReasonTally;
import darkroom.rewardactors.client.Rewards;
import darkroom.rewardactors.client.Scorer;
import darkroom.rewardactors.pairs.PairRows;
import darkroom.rewardactors.pairs.PairScorer;
import darkroom.rewardactors.pairs.ScoredPair;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.run.Interrupt;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Scores image pairs with an OpenAI-compatible scorer. */
@Command(
        name = "score",
        description = {
            "Scores image pairs with an OpenAI-compatible scorer.",
            "",
            "Rows of FILE: id, source, edited, instruction, and optionally requirement and task; paths are relative to"
                + " FILE. Rows of OUT, one for each of FILE and in its order: id, score (0 to 1, or null), unscored"
                + " (why no score exists, or null), labelMass, attempts. What could not be scored never has a number.",
            "",
            "OUT appears when all rows are done, in place of what was there. A command that was cut short leaves OUT"
                    + " as it was, and its rows so far in OUT.partial. A token for the scorer is taken from"
                    + " DARKROOM_SCORER_TOKEN."
        })
final class ScoreCommand implements Callable<Integer> {
    private static final Duration REPORT_EVERY = Duration.ofSeconds(5);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--scorer",
            paramLabel = "URL",
            required = true,
            description = "Base URL, such as http://localhost:8000, with or without /v1. Repeatable: several servers of"
                    + " one model share the rows.")
    private List<URI> scorers = List.of();

    @Option(names = "--pairs", paramLabel = "FILE", required = true, description = "JSONL file of image pairs.")
    private Path pairs;

    @Option(names = "--out", paramLabel = "OUT", required = true, description = "JSONL file of scores.")
    private Path out;

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description =
                    "score-logit (default), yes-no-logit, score-sampling, score-logit-cot, score-sampling-cot, or with"
                            + " settings of their own pattern and adapter.")
    private @Nullable String method;

    @Option(names = "--model", paramLabel = "NAME", description = "Model to ask. Default: the first the scorer lists.")
    private @Nullable String model;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "For one attempt, the body included: 500ms, 30s, 2m. Default: 30s.")
    private @Nullable String timeout;

    @Option(names = "--attempts", paramLabel = "N", description = "Tries per row before it is unscored. Default: 4.")
    private @Nullable Integer attempts;

    @Option(names = "--concurrency", paramLabel = "N", description = "Requests in flight at each server. Default: 24.")
    private @Nullable Integer concurrency;

    @Option(
            names = "--logprob-source",
            paramLabel = "SOURCE",
            description =
                    "How log-probabilities are asked for: token-ids, choice, prompt-logprobs, top-20. Default: the"
                            + " best that the scorer honours.")
    private @Nullable String logprobSource;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any setting of scoring, or data.pictures; repeatable.")
    private List<String> set = List.of();

    @Override
    public Integer call() throws InterruptedException {
        RunSettings run = Recipes.load("embedded-demo", overrides());
        ScoringSettings settings = run.scoring();
        PrintWriter err = spec.commandLine().getErr();
        Tally tally = new Tally();
        requireFreePlace();
        try (PairRows rows = open();
                Scorer scorer = scorer(settings);
                Interrupt interrupt = new Interrupt(() -> err.println("interrupted; nothing is scored yet"))) {
            OutputFile file = place();
            interrupt.finishing(Thread.currentThread()::interrupt);
            try (BufferedWriter writer = writer(file)) {
                new PairScorer(scorer, run.data().pictures()).score(rows, pair -> {
                    write(writer, file.place(), pair);
                    tally.count(pair, pairs, err);
                });
            } catch (InterruptedException e) {
                return interrupted(file, tally, err);
            }
            publish(file);
        } catch (IOException e) {
            throw new CommandFailedException("%s: %s".formatted(pairs, FileFault.reason(e, pairs)), e);
        }
        err.println(tally.summary());
        tally.reasons.reasons().forEach(err::println);
        if (!tally.reasons.flat().isEmpty()) {
            err.println("warn: " + tally.reasons.flat());
        }
        err.flush();
        return (tally.unscored == 0 ? ExitCode.OK : ExitCode.UNSCORED).code();
    }

    private List<String> overrides() {
        List<String> overrides = new ArrayList<>(set);
        add(overrides, "method", method);
        add(overrides, "model", model == null ? null : TextNode.valueOf(model).toString());
        add(overrides, "timeout", timeout);
        add(overrides, "attempts", attempts);
        add(overrides, "concurrency", concurrency);
        add(overrides, "logprob-source", logprobSource);
        return overrides;
    }

    private static void add(List<String> overrides, String key, @Nullable Object value) {
        if (value != null) {
            overrides.add("scoring." + key + "=" + value);
        }
    }

    /** Refuses an output file that would overwrite the pairs, or whose fault would show only after all rows are scored. */
    private void requireFreePlace() {
        if (Files.isDirectory(out)) {
            throw new CommandFailedException(out + " is a directory; name a file with --out", ExitCode.USAGE);
        }
        try {
            if (Files.exists(out) && Files.exists(pairs) && Files.isSameFile(out, pairs)) {
                throw new CommandFailedException(
                        out + " is the file of pairs itself; name another file with --out", ExitCode.USAGE);
            }
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be read: %s".formatted(pairs, FileFault.reason(e, pairs)), e);
        }
    }

    private PairRows open() throws IOException {
        if (!Files.isRegularFile(pairs)) {
            throw new CommandFailedException(pairs + " is no file", ExitCode.USAGE);
        }
        return new PairRows(pairs);
    }

    private Scorer scorer(ScoringSettings settings) {
        try {
            return Rewards.open(scorers, settings, System.getenv());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorReason.of(e));
        } catch (IOException e) {
            Path cache = Path.of(settings.cache());
            throw new CommandFailedException(
                    "scoring.cache=%s cannot be used: %s".formatted(cache, FileFault.reason(e, cache)), e);
        }
    }

    private int interrupted(OutputFile file, Tally tally, PrintWriter err) {
        err.println(tally.summary());
        err.printf(
                "interrupted; the rows so far are in %s, and %s is as it was. The same command begins again;"
                        + " with --set scoring.cache=DIR it asks no question twice%n",
                file.place(), out);
        err.flush();
        return ExitCode.INTERRUPTED.code();
    }

    private static BufferedWriter writer(OutputFile file) {
        try {
            return file.writer();
        } catch (IOException e) {
            throw unwritten(file.place(), e);
        }
    }

    private OutputFile place() {
        try {
            return OutputFile.at(out);
        } catch (IOException e) {
            throw unwritten(out, e);
        }
    }

    private static CommandFailedException unwritten(Path file, IOException e) {
        return new CommandFailedException("%s cannot be written: %s".formatted(file, FileFault.reason(e, file)), e);
    }

    private static void write(BufferedWriter writer, Path file, ScoredPair pair) {
        try {
            writer.write(pair.json().toString());
            writer.write('\n');
            writer.flush();
        } catch (IOException e) {
            throw unwritten(file, e);
        }
    }

    private void publish(OutputFile file) {
        try {
            file.finish();
        } catch (IOException e) {
            throw unwritten(out, e);
        }
    }

    /**
     * Counts the rows done and reports them on standard error from time to time; reports a fault in a row of the file
     * at once.
     */
    private static final class Tally {
        private final long started = System.nanoTime();
        private long told = started;
        private final ReasonTally reasons = new ReasonTally();
        private long scored;
        private long unscored;

        void count(ScoredPair pair, Path file, PrintWriter err) {
            reasons.count(pair.outcome());
            switch (pair.outcome()) {
                case ScoreOutcome.Scored _ -> scored++;
                case ScoreOutcome.Unscored row -> {
                    unscored++;
                    if (row.attempts() == 0) {
                        err.println("%s:%d: %s".formatted(file, pair.line(), row.reason()));
                    }
                }
            }
            long now = System.nanoTime();
            if (now - told >= REPORT_EVERY.toNanos()) {
                told = now;
                err.println(summary());
                err.flush();
            }
        }

        String summary() {
            double seconds = (System.nanoTime() - started) / (double) TimeUnit.SECONDS.toNanos(1);
            return String.format(
                    Locale.ROOT,
                    "%d rows: %d scored, %d unscored, %.1f rows/s",
                    scored + unscored,
                    scored,
                    unscored,
                    (scored + unscored) / Math.max(seconds, 1e-3));
        }
    }
}
