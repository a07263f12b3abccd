package darkroom.runtime.run;

import darkroom.config.InputSettings;
import darkroom.config.RunSettings;
import darkroom.edittasks.tasks.Split;
import darkroom.gpuworkers.JudgeNetwork;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.InputLine;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.Rows;
import darkroom.runtime.base.RunDirectory;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Digests of what a run reads: pictures and rows of a dataset, rendered tasks, weights of the base and of the embedded
 * judge. A run records them when it begins, in {@code settings.conf} one for each input and in {@code inputs.jsonl} one
 * for each row and file. Every reader of an input compares them first (promise P-7): the run when it is resumed, a
 * standby, a node, {@code eval}.
 */
public final class RunInputs {
    /** One {@link InputLine} per line. */
    static final String FILE = "inputs.jsonl";

    /** Limit on the differences in a message; the rest are counted. */
    static final int SHOWN_MAX = 10;

    static final String TRAIN = "train";
    static final String VALIDATION = "validation";
    static final String HELD_OUT = "held-out";
    static final String BASE = "base";
    static final String JUDGE = "judge";

    private RunInputs() {}

    /**
     * Computes the digests of the current inputs.
     *
     * @throws IOException if base or judge cannot be read
     */
    static InputSettings found(RunSettings settings, DataSplits data) throws IOException {
        return new InputSettings(
                data.train().digest(),
                data.validation().digest(),
                data.heldOut().digest(),
                PolicyModels.sha256(settings),
                JudgeNetwork.sha256(settings.scoring().judge()));
    }

    /**
     * Compares the current inputs with what the settings record; an empty digest accepts everything.
     *
     * @param run directory of the run that recorded the digests, which has the lines of rows and files; null for none
     * @throws CommandFailedException with {@link ExitCode#USAGE}, naming what was changed, and the remedy
     */
    static void require(RunSettings settings, InputSettings found, DataSplits data, @Nullable Path run) {
        InputSettings recorded = settings.inputs();
        Map<String, List<String>> pairs = new LinkedHashMap<>();
        pairs.put(TRAIN, List.of(recorded.train(), found.train()));
        pairs.put(VALIDATION, List.of(recorded.validation(), found.validation()));
        pairs.put(HELD_OUT, List.of(recorded.heldOut(), found.heldOut()));
        pairs.put(BASE, List.of(recorded.base(), found.base()));
        pairs.put(JUDGE, List.of(recorded.judge(), found.judge()));
        List<String> differences = new ArrayList<>();
        for (var pair : pairs.entrySet()) {
            String was = pair.getValue().getFirst();
            String is = pair.getValue().getLast();
            if (!was.isEmpty() && !was.equals(is)) {
                List<String> details = run == null ? List.of() : differences(run, pair.getKey(), data);
                differences.addAll(
                        details.isEmpty() ? List.of(difference(name(pair.getKey(), settings), was, is)) : details);
            }
        }
        if (!differences.isEmpty()) {
            throw refused(run, differences);
        }
    }

    /** Compares the rows of one split alone, as {@link #require} does. */
    public static void requireRows(RunSettings settings, Split split, Rows rows, @Nullable Path run) {
        String input =
                switch (split) {
                    case TRAIN -> TRAIN;
                    case VALIDATION -> VALIDATION;
                    case HELD_OUT -> HELD_OUT;
                    case UNSEEN_OBJECTS -> "";
                };
        String was =
                switch (split) {
                    case TRAIN -> settings.inputs().train();
                    case VALIDATION -> settings.inputs().validation();
                    case HELD_OUT -> settings.inputs().heldOut();
                    case UNSEEN_OBJECTS -> "";
                };
        if (!was.isEmpty() && !was.equals(rows.digest())) {
            List<String> details =
                    run == null ? List.of() : differences(recorded(run, input), now(each -> rows.inputs(input, each)));
            throw new CommandFailedException(
                    "%s:%n  %s%nRestore the rows, or measure those that are there with --set inputs.%s=\"\"."
                            .formatted(
                                    "the rows are not those of the run",
                                    shown(
                                            details.isEmpty()
                                                    ? List.of(difference(name(input, settings), was, rows.digest()))
                                                    : details),
                                    input),
                    ExitCode.USAGE);
        }
    }

    /**
     * Compares the base that this process reads.
     *
     * @throws CommandFailedException with {@link ExitCode#USAGE}, naming the file and both digests
     */
    public static void requireBase(RunSettings settings) throws IOException {
        String was = settings.inputs().base();
        if (!was.isEmpty()) {
            requireSame(BASE, settings, was, PolicyModels.sha256(settings));
        }
    }

    /**
     * Compares the embedded judge of this process.
     *
     * @throws CommandFailedException as {@link #requireBase}
     */
    public static void requireJudge(RunSettings settings) throws IOException {
        String was = settings.inputs().judge();
        if (!was.isEmpty() && settings.scoring().endpoints().isEmpty()) {
            requireSame(
                    JUDGE, settings, was, JudgeNetwork.sha256(settings.scoring().judge()));
        }
    }

    private static void requireSame(String input, RunSettings settings, String was, String is) {
        if (!was.equals(is)) {
            throw new CommandFailedException(
                    "%s on this machine is not that of the run: %s. Copy the run's here, or use the build that the run uses"
                            .formatted(name(input, settings), difference(name(input, settings), was, is)),
                    ExitCode.USAGE);
        }
    }

    /**
     * Writes {@code inputs.jsonl} atomically.
     *
     * @throws UncheckedIOException naming the file
     */
    static void write(Path run, RunSettings settings, DataSplits data) {
        Path file = run.resolve(FILE);
        Path partial = run.resolve(FILE + ".partial");
        try {
            try (BufferedWriter lines = Files.newBufferedWriter(partial)) {
                Consumer<InputLine> append = line -> {
                    try {
                        lines.write(JsonLines.JSON.writeValueAsString(line));
                        lines.write('\n');
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                };
                data.train().inputs(TRAIN, append);
                data.validation().inputs(VALIDATION, append);
                data.heldOut().inputs(HELD_OUT, append);
                weights(settings, append);
            }
            Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RunDirectory.failed("write", file, e);
        }
    }

    private static void weights(RunSettings settings, Consumer<InputLine> append) {
        append.accept(InputLine.whole(
                BASE, PolicyModels.place(settings), settings.inputs().base()));
        append.accept(InputLine.whole(
                JUDGE, settings.scoring().judge(), settings.inputs().judge()));
    }

    /** Returns the setting that names an input, with its value. */
    private static String name(String input, RunSettings settings) {
        return switch (input) {
            case BASE -> PolicyModels.weights(settings);
            case JUDGE -> "scoring.judge=" + settings.scoring().judge();
            default -> "data.source=%s (%s rows)".formatted(settings.data().source(), input);
        };
    }

    private static String difference(String what, String was, String is) {
        return "%s has SHA-256 %s and had %s".formatted(what, is, was);
    }

    private static CommandFailedException refused(@Nullable Path run, List<String> differences) {
        return new CommandFailedException(
                (run == null
                                ? "what this run would read is not what its settings record:%n  %s%nRestore it, or set"
                                        + " the digests of inputs to \"\" to take what is there."
                                : "what %2$s was begun with has changed since, so that it cannot be resumed exactly:%n"
                                        + "  %1$s%nRestore it, or start a new run with --out.")
                        .formatted(shown(differences), run),
                ExitCode.USAGE);
    }

    private static String shown(List<String> differences) {
        List<String> lines = new ArrayList<>(differences.subList(0, Math.min(SHOWN_MAX, differences.size())));
        if (differences.size() > SHOWN_MAX) {
            lines.add("and " + (differences.size() - SHOWN_MAX) + " more");
        }
        return String.join(System.lineSeparator() + "  ", lines);
    }

    private static List<String> differences(Path run, String input, DataSplits data) {
        @Nullable
        Rows rows =
                switch (input) {
                    case TRAIN -> data.train();
                    case VALIDATION -> data.validation();
                    case HELD_OUT -> data.heldOut();
                    default -> null;
                };
        return rows == null ? List.of() : differences(recorded(run, input), now(each -> rows.inputs(input, each)));
    }

    /**
     * Returns the recorded lines of an input; empty if the file is missing or damaged: the digests of the settings then
     * decide.
     */
    private static List<InputLine> recorded(Path run, String input) {
        List<InputLine> lines = new ArrayList<>();
        JsonLines.forEach(run.resolve(FILE), InputLine.class, line -> {
            if (line.input().equals(input)) {
                lines.add(line);
            }
        });
        return lines;
    }

    private static List<InputLine> now(Consumer<Consumer<InputLine>> rows) {
        List<InputLine> lines = new ArrayList<>();
        rows.accept(lines::add);
        return lines;
    }

    /** Returns the differences between the lines; rows are matched by identity, else by line. */
    private static List<String> differences(List<InputLine> before, List<InputLine> now) {
        if (before.isEmpty() || (before.getFirst().row().isEmpty() && now.isEmpty())) {
            return List.of();
        }
        Map<String, InputLine> byRow = new HashMap<>();
        before.forEach(line -> byRow.put(line.row(), line));
        List<InputLine> unknown = new ArrayList<>();
        List<String> found = new ArrayList<>();
        for (InputLine line : now) {
            InputLine was = byRow.remove(line.row());
            if (was == null) {
                unknown.add(line);
            } else if (!was.sha256().equals(line.sha256())) {
                found.addAll(changes(was, line));
            }
        }
        Map<Long, InputLine> byLine = new HashMap<>();
        byRow.values().forEach(line -> byLine.put(line.line(), line));
        for (InputLine line : unknown) {
            InputLine was = byLine.remove(line.line());
            if (was == null) {
                found.add("%s:%d: the row %s is new".formatted(line.file(), line.line(), line.row()));
            } else {
                byRow.remove(was.row());
                found.addAll(changes(was, line));
            }
        }
        before.stream()
                .filter(line -> byRow.containsKey(line.row()))
                .forEach(
                        line -> found.add("%s:%d: the row %s is gone".formatted(line.file(), line.line(), line.row())));
        if (found.isEmpty()) {
            found.add(now.getFirst().file() + ": the rows are in another order");
        }
        return found;
    }

    private static List<String> changes(InputLine was, InputLine is) {
        List<String> changes = new ArrayList<>();
        if (is.row().isEmpty()) {
            return List.of(difference(is.file(), was.sha256(), is.sha256()));
        }
        String place = "%s:%d: ".formatted(is.file(), is.line());
        for (var file : is.files().entrySet()) {
            String before = was.files().get(file.getKey());
            if (!Objects.equals(before, file.getValue())) {
                changes.add(place
                        + (before == null
                                ? "the row did not name %s, SHA-256 %s".formatted(file.getKey(), file.getValue())
                                : difference(file.getKey(), before, file.getValue())));
            }
        }
        if (!was.files().keySet().equals(is.files().keySet()) && changes.isEmpty()) {
            changes.add(place + "the row named other pictures: " + was.files().keySet());
        }
        if (!was.text().equals(is.text())) {
            changes.add("%sthe row has other texts or another weight: SHA-256 %s, it was %s"
                    .formatted(place, is.text(), was.text()));
        }
        return changes.isEmpty()
                ? List.of(place + "the files are the same, and this build reads other pixels from "
                        + is.files().keySet() + ": resume the run with the build that it was begun with")
                : changes;
    }
}
