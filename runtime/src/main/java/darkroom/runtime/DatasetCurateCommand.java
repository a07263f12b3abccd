package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.datasets.Curation;
import darkroom.edittasks.datasets.CurationRule;
import darkroom.edittasks.datasets.CurationSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.PictureViewOption;
import darkroom.runtime.base.WorkRate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes a dataset from annotated pictures. */
@Command(
        name = "curate",
        description = {
            "Makes a dataset from annotated pictures, by the rules of the Edit-R1 paper (section 3.1).",
            "",
            "Reads IN/annotations.jsonl, one JSON object for each picture:",
            "  image    path of the picture below IN",
            "  objects  what is in it: [{name, box: [left, top, right, bottom] in pixels of the picture as displayed"
                    + " (EXIF orientation applied),",
            "           score: 0 to 1 (optional), background: true (optional)}, ...]",
            "  texts    what is written in it: [{text}, ...]",
            "  edits    what is to be done: [{task_type, prompt, requirement, object: number in",
            "           objects, target: path, reference: path, plausible: true or false}, ...];",
            "           all but task_type and prompt are optional",
            "Every other field goes into every row of the picture.",
            "",
            "Rows are made of the edits, of objects that no edit is about ('remove the NAME'), of texts (one word with"
                + " one or two characters altered), and of red boxes: a share of the adjust, remove and replace rows"
                + " once more, with a red rectangle round the object and 'the object in the red box' in place of its"
                + " name. A picture's rows all go to train, validation or test.",
            "",
            "OUT/rejected.jsonl lists what does not become a row, with its rule. edit-tasks/README.md lists the"
                    + " rules and where each comes from."
        })
final class DatasetCurateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--in", paramLabel = "IN", required = true, description = "Directory of the annotated pictures.")
    private Path in;

    @Option(names = "--out", paramLabel = "OUT", required = true, description = "Directory of the dataset.")
    private Path out;

    @Option(
            names = "--box-min",
            paramLabel = "SHARE",
            description = "Smallest box of an object, as a share of the picture's area. Default: ${DEFAULT-VALUE}")
    private double boxMin = CurationSettings.USUAL.boxMin();

    @Option(names = "--box-max", paramLabel = "SHARE", description = "Largest. Default: ${DEFAULT-VALUE}")
    private double boxMax = CurationSettings.USUAL.boxMax();

    @Option(
            names = "--background-min",
            paramLabel = "SHARE",
            description = "Smallest box of a background. Default: ${DEFAULT-VALUE}")
    private double backgroundMin = CurationSettings.USUAL.backgroundMin();

    @Option(
            names = "--confidence-min",
            paramLabel = "SCORE",
            description = "Lowest detection score of an object. Default: ${DEFAULT-VALUE}")
    private double confidenceMin = CurationSettings.USUAL.confidenceMin();

    @Option(
            names = "--background-confidence-min",
            paramLabel = "SCORE",
            description = "Lowest detection score of a background. Default: ${DEFAULT-VALUE}")
    private double backgroundConfidenceMin = CurationSettings.USUAL.backgroundConfidenceMin();

    @Option(
            names = "--cut-off-max",
            paramLabel = "SHARE",
            description = "Largest share of a box outside the middle square, which is all that training sees. Default:"
                    + " ${DEFAULT-VALUE}")
    private double cutOffMax = CurationSettings.USUAL.cutOffMax();

    @Option(
            names = "--red-box-share",
            paramLabel = "SHARE",
            description = "Share of the adjust, remove and replace rows that also become red-box rows. Default:"
                    + " ${DEFAULT-VALUE}")
    private double redBoxShare = CurationSettings.USUAL.redBoxShare();

    @Option(
            names = "--cap",
            paramLabel = "TYPE=N",
            description = "Most rows of a task type; repeatable. Default: reference=600 and extract=600")
    private Map<String, Integer> caps = Map.of();

    @Option(
            names = "--validation-share",
            paramLabel = "SHARE",
            description = "Share of the pictures for validation. Default: ${DEFAULT-VALUE}")
    private double validationShare = CurationSettings.USUAL.validationShare();

    @Option(
            names = "--test-share",
            paramLabel = "SHARE",
            description = "Share of the pictures for test. Default: ${DEFAULT-VALUE}")
    private double testShare = CurationSettings.USUAL.testShare();

    @Option(
            names = "--pictures",
            paramLabel = "VIEW",
            converter = PictureViewOption.class,
            description = PictureViewOption.DESCRIPTION)
    private PictureView pictures = PictureView.DISPLAYED;

    @Option(names = "--seed", paramLabel = "S", description = "Key of all randomness. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(names = "--force", description = "Replace the metadata files that are in OUT.")
    private boolean force;

    @Override
    public Integer call() {
        CurationSettings settings = settings();
        if (!Files.isRegularFile(in.resolve(Curation.ANNOTATIONS))) {
            throw new CommandFailedException(
                    "%s is no file; --help shows what it holds".formatted(in.resolve(Curation.ANNOTATIONS)),
                    ExitCode.USAGE);
        }
        WorkRate rate = new WorkRate(spec.commandLine().getErr(), System::nanoTime);
        Curation.Report report;
        try {
            report = Curation.run(in, pictures, out, settings, force, line -> rate.at(() -> line + " lines read"));
        } catch (FileAlreadyExistsException e) {
            throw new CommandFailedException(
                    "%s is there already; give another --out, or --force to replace it".formatted(e.getFile()),
                    ExitCode.USAGE);
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        } catch (IOException e) {
            throw new CommandFailedException(
                    "%s could not be curated into %s: %s".formatted(in, out, FileFault.reason(e)), e);
        }
        print(report);
        return ExitCode.OK.code();
    }

    private CurationSettings settings() {
        Map<String, Integer> allCaps = new HashMap<>(CurationSettings.USUAL.caps());
        allCaps.putAll(caps);
        try {
            return new CurationSettings(
                    boxMin,
                    boxMax,
                    backgroundMin,
                    confidenceMin,
                    backgroundConfidenceMin,
                    cutOffMax,
                    redBoxShare,
                    allCaps,
                    validationShare,
                    testShare,
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--" + ErrorReason.of(e));
        }
    }

    private void print(Curation.Report report) {
        PrintWriter terminal = spec.commandLine().getOut();
        terminal.println("%d pictures: %d kept, %d rejected%s"
                .formatted(
                        report.images(),
                        report.imagesKept(),
                        report.images() - report.imagesKept(),
                        rules(report.imagesRejected())));
        terminal.println("not made into rows: " + rejections(report));
        report.rows()
                .forEach((split, types) -> terminal.println("%s: %d rows (%s)"
                        .formatted(
                                out.resolve(split.metadataFile()),
                                types.values().stream().mapToLong(n -> n).sum(),
                                types.entrySet().stream()
                                        .map(type -> type.getKey() + " " + type.getValue())
                                        .collect(Collectors.joining(", ")))));
        terminal.println("what was rejected: " + out.resolve(Curation.REJECTED));
        terminal.flush();
    }

    private static String rejections(Curation.Report report) {
        long all = report.rejections().values().stream().mapToLong(n -> n).sum();
        return all + rules(report.rejections());
    }

    private static String rules(Map<CurationRule, Long> counts) {
        return counts.isEmpty()
                ? ""
                : counts.entrySet().stream()
                        .map(rule -> rule.getKey().label() + " " + rule.getValue())
                        .collect(Collectors.joining(", ", " (", ")"));
    }
}
