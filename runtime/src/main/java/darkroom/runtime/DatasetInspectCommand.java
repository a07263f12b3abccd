package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.datasets.DatasetDirectory;
import darkroom.edittasks.datasets.DatasetImages;
import darkroom.edittasks.datasets.DatasetLine;
import darkroom.edittasks.datasets.DatasetReader;
import darkroom.edittasks.datasets.OutputFile;
import darkroom.edittasks.datasets.RenderedDataset;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.PictureViewOption;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.WorkRate;
import darkroom.runtime.report.ContactSheet;
import darkroom.runtime.report.InstructionLoss;
import darkroom.runtime.run.EmbeddedRows;
import darkroom.runtime.run.JsonlRows;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows the contents of a dataset. */
@Command(
        name = "inspect",
        description = {
            "Shows what a dataset holds: rows by task type, sizes, instructions, words that the embedded models do not"
                    + " know; and, with --out, a contact sheet.",
            "",
            "A row of the sheet: source, target, changed pixels, reference; what a row lacks stays white. Its"
                    + " instructions are printed in the order of the sheet."
        })
final class DatasetInspectCommand implements Callable<Integer> {
    private static final String EMBEDDED = "embedded";
    private static final int INSTRUCTIONS_SHOWN = 3;
    private static final int WORDS_SHOWN = 30;
    private static final int SIZES_SHOWN = 10;

    /**
     * Limit on the distinct task types, sizes and unknown words that are counted separately; the rest is counted
     * together.
     */
    private static final int KINDS_MAX = 10_000;

    /** Limit on the task types of which rows are shown. */
    private static final int TYPES_SAMPLED_MAX = 64;

    private static final String OTHERS = "(others)";

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Directory of a dataset, or embedded for the rendered tasks.")
    private String source;

    @Option(names = "--out", paramLabel = "FILE", description = "Write a contact sheet as PNG.")
    private @Nullable Path out;

    @Option(
            names = "--rows",
            paramLabel = "N",
            description = "Rows of the contact sheet, spread over the task types. Default: ${DEFAULT-VALUE}")
    private int rows = 24;

    @Option(
            names = "--split",
            paramLabel = "SPLIT",
            converter = DatasetCommand.SplitLabel.class,
            completionCandidates = DatasetCommand.SplitLabels.class,
            description = "${COMPLETION-CANDIDATES}. Default: all of DIR; train of the rendered tasks")
    private @Nullable Split split;

    @Option(
            names = "--size",
            paramLabel = "SIDE",
            description = "Side in pixels at which pictures are shown, and rendered where DIR is embedded. Default:"
                    + " that of the first picture, 128 at most; embedded: 32")
    private @Nullable Integer size;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Rendered rows that are looked at, where DIR is embedded. Default: ${DEFAULT-VALUE}")
    private int count = 480;

    @Option(
            names = "--pictures",
            paramLabel = "VIEW",
            converter = PictureViewOption.class,
            description = PictureViewOption.DESCRIPTION)
    private PictureView pictures = PictureView.DISPLAYED;

    private record Sample(String split, String taskType, String instruction, DatasetImages images) {}

    /** Bounded counts by name. */
    private static final class Counts {
        private final Map<String, Long> counts = new TreeMap<>();

        void add(String name) {
            counts.merge(counts.containsKey(name) || counts.size() < KINDS_MAX ? name : OTHERS, 1L, Long::sum);
        }

        /** Returns the counts, most frequent first; ties by name. */
        List<Map.Entry<String, Long>> sorted() {
            return counts.entrySet().stream()
                    .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                            .thenComparing(Map.Entry.comparingByKey()))
                    .toList();
        }
    }

    /** Statistics of one split. */
    private final class Findings {
        private final Counts types = new Counts();
        private final Counts sizes = new Counts();
        private final Counts unknownWords = new Counts();
        private final Map<String, List<Sample>> samples = new TreeMap<>();
        private long usable;
        private long malformed;
        private final InstructionLoss loss = new InstructionLoss();
        private long targets;
        private long references;
        private long requirements;
        private long repeated;
        private double weight;

        void repeat(double more) {
            repeated++;
            weight += more;
        }

        void add(
                String splitName,
                String taskType,
                String instruction,
                String requirement,
                double rowWeight,
                DatasetImages images) {
            usable++;
            weight += rowWeight;
            types.add(taskType);
            sizes.add(images.source().width() + "x" + images.source().height());
            targets += images.target() == null ? 0 : 1;
            references += images.reference() == null ? 0 : 1;
            requirements += requirement.isEmpty() ? 0 : 1;
            InstructionVocabulary vocabulary = InstructionVocabulary.embedded();
            vocabulary.unknownWords(instruction).forEach(word -> unknownWords.add(word.toLowerCase(Locale.ROOT)));
            loss.add(instruction);
            int shown = shownSide(images.source());
            if (samples.size() < TYPES_SAMPLED_MAX) {
                samples.computeIfAbsent(taskType, _ -> new ArrayList<>());
            }
            List<Sample> ofType = samples.get(taskType);
            if (ofType != null && ofType.size() < Math.max(INSTRUCTIONS_SHOWN, out == null ? 0 : rows)) {
                ofType.add(new Sample(splitName, taskType, instruction, images.square(shown)));
            }
        }

        void print(PrintWriter report, String name) {
            report.println("%s: %d rows, %d malformed lines, %d with target, %d with reference, %d with requirement"
                    .formatted(name, usable, malformed, targets, references, requirements));
            for (Map.Entry<String, Long> type : types.sorted()) {
                report.println("  %-14s %d".formatted(type.getKey(), type.getValue()));
                samples.getOrDefault(type.getKey(), List.of()).stream()
                        .limit(INSTRUCTIONS_SHOWN)
                        .forEach(sample -> report.println("      " + oneLine(sample.instruction())));
            }
            if (repeated > 0 || weight != usable) {
                report.println(String.format(
                        Locale.ROOT, "  weights add up to %.6g; %d lines repeat a row", weight, repeated));
            }
            report.println("  sizes: " + list(sizes, SIZES_SHOWN));
            report.println("  words unknown to the embedded models: "
                    + (unknownWords.counts.isEmpty() ? "none" : list(unknownWords, WORDS_SHOWN)));
            loss.lines().forEach(line -> report.println("  " + line));
        }
    }

    @Override
    public Integer call() {
        if (rows < 1 || count < 1 || (size != null && (size < 1 || size > ContactSheet.CELL_SIDE))) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--rows and --count must be 1 or more, and --size from 1 to " + ContactSheet.CELL_SIDE);
        }
        PrintWriter report = spec.commandLine().getOut();
        List<Findings> all = new ArrayList<>();
        if (source.equals(EMBEDDED)) {
            Findings findings = embedded(split == null ? Split.TRAIN : split);
            findings.print(report, "rendered tasks, " + (split == null ? Split.TRAIN : split).label());
            all.add(findings);
        } else {
            DatasetDirectory dataset = DatasetCommand.open(Path.of(source), pictures);
            List<Split> splits = split == null ? DatasetCommand.splits(dataset) : List.of(split);
            for (Split one : splits) {
                Findings findings = read(dataset, one);
                findings.print(report, dataset.metadata(one).toString());
                all.add(findings);
            }
        }
        if (out != null) {
            sheet(all, out, report);
        }
        report.flush();
        return ExitCode.OK.code();
    }

    private Findings embedded(Split of) {
        EditTasks tasks;
        try {
            tasks = new EditTasks(size == null ? 32 : size, 0, TaskMix.all());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--size: " + ErrorReason.of(e));
        }
        WorkRate rate = new WorkRate(spec.commandLine().getErr(), System::nanoTime);
        Findings findings = new Findings();
        for (int i = 0; i < count; i++) {
            Row row = new EmbeddedRows(tasks, of, count).row(i);
            findings.add(
                    of.label(),
                    row.taskType(),
                    row.instruction(),
                    row.requirement(),
                    1,
                    new DatasetImages(row.source(), row.target(), row.reference()));
            int done = i + 1;
            rate.at(() -> "%d of %d rows".formatted(done, count));
        }
        return findings;
    }

    private Findings read(DatasetDirectory dataset, Split of) {
        WorkRate rate = new WorkRate(spec.commandLine().getErr(), System::nanoTime);
        Findings findings = new Findings();
        Path file = dataset.metadata(of);
        try (DatasetReader reader = dataset.reader(of)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                switch (line) {
                    case DatasetLine.Usable usable ->
                        findings.add(
                                of.label(),
                                usable.row().taskType() == null
                                        ? JsonlRows.UNKNOWN
                                        : usable.row().taskType(),
                                usable.row().prompt(),
                                usable.row().requirement(),
                                usable.row().weight(),
                                usable.images());
                    case DatasetLine.Repeated again ->
                        findings.repeat(again.row().weight());
                    case DatasetLine.Malformed _ -> findings.malformed++;
                }
                long number = line.line();
                rate.at(() -> "%s: %d lines read".formatted(file, number));
            }
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be read: %s".formatted(file, FileFault.reason(e, file)), e);
        }
        return findings;
    }

    private int shownSide(RgbImage first) {
        if (size == null) {
            size = Math.min(ContactSheet.CELL_SIDE, Math.min(first.width(), first.height()));
        }
        return size;
    }

    private void sheet(List<Findings> all, Path file, PrintWriter report) {
        List<Sample> chosen = chosen(all);
        if (chosen.isEmpty()) {
            throw new CommandFailedException("%s has no usable row to show".formatted(source));
        }
        boolean references = chosen.stream().anyMatch(sample -> sample.images().reference() != null);
        ContactSheet.Scale scale =
                ContactSheet.Scale.of(chosen.getFirst().images().source());
        List<List<@Nullable RgbImage>> cells = new ArrayList<>();
        report.println("rows of the sheet:");
        for (Sample sample : chosen) {
            DatasetImages images = sample.images();
            RgbImage target = images.target();
            RgbImage mask = target == null ? null : RenderedDataset.mask(images.source(), target);
            cells.add(
                    references
                            ? Arrays.<@Nullable RgbImage>asList(images.source(), target, mask, images.reference())
                            : Arrays.<@Nullable RgbImage>asList(images.source(), target, mask));
            report.println("%4d  %s  %s: %s"
                    .formatted(cells.size(), sample.split(), sample.taskType(), oneLine(sample.instruction())));
        }
        try {
            OutputFile.write(file, ContactSheet.rollout(scale, cells).png());
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be written: %s".formatted(file, FileFault.reason(e, file)), e);
        }
        report.println("wrote " + file);
    }

    /** Returns the first row of every task type, then the second, until there are enough; sorted by type. */
    private List<Sample> chosen(List<Findings> all) {
        List<Sample> chosen = new ArrayList<>();
        for (int i = 0; i < rows && chosen.size() < rows; i++) {
            for (Findings findings : all) {
                for (List<Sample> ofType : findings.samples.values()) {
                    if (i < ofType.size() && chosen.size() < rows) {
                        chosen.add(ofType.get(i));
                    }
                }
            }
        }
        chosen.sort(Comparator.comparing(Sample::taskType));
        return chosen;
    }

    private static String list(Counts counts, int shown) {
        List<Map.Entry<String, Long>> sorted = counts.sorted();
        return sorted.stream()
                        .limit(shown)
                        .map(entry -> entry.getKey() + " (" + entry.getValue() + ")")
                        .collect(Collectors.joining(", "))
                + (sorted.size() > shown ? " and " + (sorted.size() - shown) + " more" : "");
    }

    private static String oneLine(String text) {
        return text.codePoints()
                .map(c -> Character.isISOControl(c) ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
