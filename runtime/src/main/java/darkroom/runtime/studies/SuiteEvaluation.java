package darkroom.runtime.studies;

import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.judge.JudgeTimeoutException;
import darkroom.rewardactors.suites.DecimalRounding;
import darkroom.rewardactors.suites.EditSuite;
import darkroom.rewardactors.suites.SuiteItemsException;
import darkroom.rewardactors.suites.SuiteResult;
import darkroom.rewardactors.suites.SuiteTable;
import darkroom.rewardactors.suites.TextJudge;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.run.Interrupt;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;

/**
 * Judges a directory of images by the protocol of a published suite, and prints its means. Saves answers to the result
 * file every {@link #SAVE_EVERY}, and when the command ends, by itself or by Ctrl-C.
 */
public final class SuiteEvaluation implements Callable<Integer> {
    private static final Duration SAVE_EVERY = Duration.ofSeconds(5);

    /** Number of reasons that are printed; all are in the file. */
    private static final int REASONS_MAX = 10;

    private final SuiteOptions options;
    private final Path images;
    private final CommandLine line;
    private final PrintWriter err;
    private long started;
    private long saved;

    /**
     * Creates an evaluation.
     *
     * @param images directory of edits
     */
    public SuiteEvaluation(SuiteOptions options, Path images, CommandLine line) {
        this.options = options;
        this.images = images;
        this.line = line;
        this.err = line.getErr();
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            EditSuite suite = options.read(images);
            requirePictures(suite);
            Path out = options.out(images);
            requirePlace(out);
            try (TextJudge judge = judge();
                    Interrupt interrupt =
                            new Interrupt(() -> err.println("interrupted; the same command starts again"))) {
                return judge(SuiteResult.after(out, suite, judge, options.pictures()), judge, suite, out, interrupt);
            }
        } catch (SuiteItemsException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        } catch (UncheckedIOException e) {
            throw new CommandFailedException(ErrorReason.of(e), e);
        } catch (JudgeTimeoutException e) {
            throw new CommandFailedException(ErrorReason.of(e));
        }
    }

    private int judge(SuiteResult result, TextJudge judge, EditSuite suite, Path out, Interrupt interrupt)
            throws InterruptedException {
        int items = suite.items().size();
        ObjectNode settings = options.json(images);
        RunDirectory.write(out, result.json(settings));
        started = System.nanoTime();
        saved = started;
        interrupt.finishing(result::stop);
        result.judge(now -> {
            if (System.nanoTime() - saved >= SAVE_EVERY.toNanos()) {
                RunDirectory.write(out, now.json(settings));
                tell(now, items);
                saved = System.nanoTime();
            }
        });
        RunDirectory.write(out, result.json(settings));
        tell(result, items);
        List<String> reasons = result.reasons();
        reasons.stream().limit(REASONS_MAX).forEach(err::println);
        if (reasons.size() > REASONS_MAX) {
            err.printf("and %d more: see %s%n", reasons.size() - REASONS_MAX, out);
        }
        err.flush();
        print(result, judge, out);
        if (!result.isComplete()) {
            err.printf("interrupted; the same command resumes: %s has the answers so far%n", out);
            err.flush();
            return ExitCode.INTERRUPTED.code();
        }
        return (result.invalid() == 0 ? ExitCode.OK : ExitCode.UNSCORED).code();
    }

    private TextJudge judge() {
        try {
            return TextJudge.open(options.judge(), ScorerAccess.in(System.getenv()));
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        }
    }

    /** Reports missing pictures before a paid judge is asked; no picture at all means a wrong directory. */
    private void requirePictures(EditSuite suite) {
        List<String> edits = suite.missingEdits();
        List<String> originals = suite.missingOriginals();
        int items = suite.items().size();
        require(edits.size() < items, "--images=" + images + " has no edited image of the suite", edits);
        require(originals.size() < items, "no original is there; name their directory with --sources", originals);
        tellMissing(edits, items, "edited image");
        tellMissing(originals, items, "original");
        err.flush();
    }

    private static void require(boolean holds, String what, List<String> missing) {
        if (!holds) {
            throw new CommandFailedException(
                    "%s: %s is not there, nor is another".formatted(what, missing.getFirst()), ExitCode.USAGE);
        }
    }

    private void tellMissing(List<String> missing, int items, String what) {
        if (!missing.isEmpty()) {
            err.printf("%d of %d items have no %s:%n", missing.size(), items, what);
            missing.stream().limit(REASONS_MAX).forEach(place -> err.println("  " + place));
        }
    }

    private static void requirePlace(Path out) {
        if (Files.exists(out) && !Files.isRegularFile(out)) {
            throw new CommandFailedException(out + " is no regular file; name another with --out", ExitCode.USAGE);
        }
    }

    private void tell(SuiteResult result, int items) {
        double seconds = (System.nanoTime() - started) / (double) TimeUnit.SECONDS.toNanos(1);
        int done = result.valid() + result.invalid();
        err.println(String.format(
                Locale.ROOT,
                "%d of %d items: %d valid (%d from before), %d invalid, %.1f items/s",
                done,
                items,
                result.valid(),
                result.kept(),
                result.invalid(),
                done / Math.max(seconds, 1e-3)));
        err.flush();
    }

    private void print(SuiteResult result, TextJudge judge, Path out) {
        PrintWriter to = line.getOut();
        to.printf("%s, judged by %s at %s%n", images, judge.model(), judge.name());
        for (SuiteTable table : result.tables()) {
            print(to, table);
        }
        result.remark().ifPresent(remark -> to.printf("%n%s%n", remark));
        to.printf("%n%s%n", out);
        to.flush();
    }

    private void print(PrintWriter to, SuiteTable table) {
        to.printf("%n%s%n", table.title());
        TextTable lines = new TextTable().text("").figures("items", "valid", "invalid");
        table.columns().forEach(lines::figures);
        table.groups().forEach(row -> add(lines, table, row));
        add(lines, table, table.overall());
        lines.print(to, TextTable.terminalColumns(line));
        if (!table.missing().isEmpty()) {
            to.printf(
                    "THE OVERALL MEAN IS OF %d OF %d GROUPS and cannot be compared with published ones: nothing valid"
                            + " of %s%n",
                    table.groups().stream().filter(row -> row.valid() > 0).count(),
                    table.missing().size()
                            + table.groups().stream()
                                    .filter(row -> row.valid() > 0)
                                    .count(),
                    String.join(", ", table.missing()));
        }
    }

    private static void add(TextTable to, SuiteTable table, SuiteTable.Row row) {
        List<Object> cells = new ArrayList<>(List.of(row.name(), row.items(), row.valid(), invalid(row)));
        for (OptionalDouble mean : row.means()) {
            cells.add(mean.isPresent() ? DecimalRounding.text(mean.getAsDouble(), table.decimals()) : "-");
        }
        to.row(cells.toArray());
    }

    private static String invalid(SuiteTable.Row row) {
        return row.invalid() == 0
                ? "0"
                : String.format(
                        Locale.ROOT, "%d (%s%%)", row.invalid(), DecimalRounding.text(100 * row.invalidShare(), 1));
    }
}
