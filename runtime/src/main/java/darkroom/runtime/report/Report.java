package darkroom.runtime.report;

import darkroom.actors.ledger.RunDigests;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.HtmlPages;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.PrecisionChoice;
import darkroom.runtime.base.RunDirectory;
import freemarker.core.TemplateHTMLOutputModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.Deque;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code report.html}: a run on one page, built only from the files of its directory, so that it can be rebuilt at any
 * time, including for a run that is in progress or has died. It loads nothing: pictures, charts and styles are inlined.
 */
public final class Report {
    /** Number of newest decisions in the table; the rest are in the file that the page links to. */
    static final int DECISIONS_MAX = 400;

    /** Number of newest incidents listed. */
    static final int INCIDENTS_MAX = 200;

    /** Number of different reasons for missing scores listed. */
    static final int UNSCORED_REASONS_MAX = 20;

    /** Number of training contact sheets on the page, the newest and the oldest. */
    static final int TRAINING_SHEETS_MAX = 48;

    private static final int UNSCORED_REASON_LENGTH = 160;
    private static final int BINS = 16;
    private static final String ABSENT = "–";

    private final RunDirectory directory;
    private final @Nullable Summary summary;
    private final List<StepMetrics> steps;
    private final Map<String, EvaluationResult> evaluations = new LinkedHashMap<>();
    private final Deque<GroupDecision> decisions = new ArrayDeque<>();
    private final Map<String, Integer> unscored = new TreeMap<>();
    private int decisionCount;

    private Report(RunDirectory directory) {
        this.directory = directory;
        this.summary = Files.exists(directory.summary()) ? Summary.read(directory.path()) : null;
        this.steps = JsonLines.read(directory.metrics(), StepMetrics.class);
        JsonLines.forEach(
                directory.evaluations(), EvaluationResult.class, result -> evaluations.put(result.name(), result));
        JsonLines.forEach(directory.decisions(), GroupDecision.class, this::count);
    }

    private void count(GroupDecision decision) {
        decisionCount++;
        decisions.add(decision);
        if (decisions.size() > DECISIONS_MAX) {
            decisions.remove();
        }
        for (GroupDecision.Unscored image : decision.unscored()) {
            String reason = image.reason().length() <= UNSCORED_REASON_LENGTH
                    ? image.reason()
                    : image.reason().substring(0, UNSCORED_REASON_LENGTH) + "…";
            if (unscored.containsKey(reason) || unscored.size() < UNSCORED_REASONS_MAX) {
                unscored.merge(reason, 1, Integer::sum);
            } else {
                unscored.merge("other reasons", 1, Integer::sum);
            }
        }
    }

    /**
     * Writes {@code report.html} into the directory of a run.
     *
     * @throws UncheckedIOException naming the file that cannot be read or written
     */
    public static void write(Path run) {
        RunDirectory directory = new RunDirectory(run);
        RunDirectory.write(directory.report(), new Report(directory).html());
    }

    private String html() {
        return HtmlPages.render("report.ftlh", page());
    }

    private ReportPage page() {
        return new ReportPage(
                title(),
                ending(),
                facts(),
                figures(),
                honesty(),
                learning(),
                groups(),
                optimizer(),
                tasks(),
                comparison(),
                training(),
                List.copyOf(decisions).reversed().stream().map(Report::line).toList(),
                decisionsNote(),
                unscored.entrySet().stream()
                        .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
                        .map(reason -> new ReportPage.Fact(plain(reason.getKey()), grouped(reason.getValue())))
                        .toList(),
                noise(),
                incidents(),
                stages(),
                speed(),
                digests(),
                settings());
    }

    private List<ReportPage.Noise> noise() {
        Map<String, NoiseFloor> newest = new LinkedHashMap<>();
        JsonLines.forEach(directory.noise(), NoiseFloor.class, line -> newest.put(line.scorer(), line));
        return newest.values().stream()
                .map(line -> new ReportPage.Noise(
                        plain(line.scorer()),
                        grouped(line.count()),
                        fixed(line.mean(), 4),
                        fixed(line.std(), 5),
                        fixed(line.range(), 5),
                        fixed(line.spreadThreshold(), 3),
                        line.spreadThreshold() > 0 ? fixed(100 * line.std() / line.spreadThreshold(), 1) + " %" : "-"))
                .toList();
    }

    /** Returns nothing if only the start is recorded. */
    private List<ReportPage.Mishap> incidents() {
        List<Incident> all = JsonLines.read(directory.incidents(), Incident.class);
        if (all.size() <= 1) {
            return List.of();
        }
        return all.subList(Math.max(0, all.size() - INCIDENTS_MAX), all.size()).reversed().stream()
                .map(incident -> new ReportPage.Mishap(
                        Instant.ofEpochMilli(incident.at())
                                .truncatedTo(ChronoUnit.SECONDS)
                                .toString(),
                        incident.kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        incident.who(),
                        plain(incident.text())))
                .toList();
    }

    private String title() {
        Summary known = summary;
        return known == null
                ? directory.path().toAbsolutePath().normalize().getFileName().toString()
                : "%s from the %s base, seed %s".formatted(known.recipe(), known.base(), Long.toString(known.seed()));
    }

    private String ending() {
        Summary known = summary;
        if (known == null) {
            return "This run has not ended: the figures are those of its files so far.";
        }
        String committed = "%s of %s steps".formatted(grouped(known.steps()), grouped(known.stepsPlanned()));
        return switch (known.end().kind()) {
            case COMPLETED -> "Completed: %s.".formatted(committed);
            case RULE ->
                "Ended by rule after %s: %s."
                        .formatted(committed, plain(known.end().reason()));
            case REQUEST -> "Stopped on request after %s. It can be resumed.".formatted(committed);
            case FAILED ->
                "Failed after %s: %s".formatted(committed, plain(known.end().reason()));
        };
    }

    private List<ReportPage.Fact> facts() {
        StepMetrics.Groups groups = StepMetrics.Groups.NONE;
        StepMetrics.Images images = StepMetrics.Images.NONE;
        double seconds = 0;
        for (StepMetrics step : steps) {
            groups = groups.plus(step.groups());
            images = images.plus(step.images());
            seconds += step.timings().sinceLastCommit();
        }
        List<ReportPage.Fact> facts = new ArrayList<>();
        facts.add(new ReportPage.Fact("steps", grouped(steps.size())));
        facts.add(new ReportPage.Fact("training images", grouped(images.issued())));
        facts.add(new ReportPage.Fact("unscored", grouped(images.unscored())));
        facts.add(new ReportPage.Fact(
                "groups kept / dropped / abandoned",
                "%s / %s / %s"
                        .formatted(grouped(groups.kept()), grouped(groups.dropped()), grouped(groups.abandoned()))));
        if (seconds > 0) {
            facts.add(new ReportPage.Fact("training time", time(seconds)));
            facts.add(new ReportPage.Fact("images per second", fixed(images.issued() / seconds, 1)));
        }
        PrecisionChoice.read(directory.path())
                .ifPresent(choice -> facts.add(new ReportPage.Fact("precision", plain(choice.describe()))));
        return facts;
    }

    private Optional<EvaluationResult> evaluation(String name) {
        return Optional.ofNullable(evaluations.get(name));
    }

    private List<ReportPage.Figure> figures() {
        return List.of(
                figure(
                        "Ground truth",
                        "agreement with the exact target, 0 to 1",
                        Measurement.Averages::groundTruth,
                        Measurement::groundTruthGain,
                        3),
                figure("Reward", "the judge’s score, 0 to 1", Measurement.Averages::reward, Measurement::rewardGain, 3),
                figure(
                        "PSNR outside the edit",
                        "dB against the source; what should not change",
                        Measurement.Averages::psnrOutside,
                        Measurement::psnrOutsideGain,
                        2));
    }

    private ReportPage.Figure figure(
            String name,
            String unit,
            Function<Measurement.Averages, OptionalDouble> mean,
            Summary.Figure.Gains gains,
            int decimals) {
        Summary.Figure figure = Summary.Figure.of(
                evaluation(Evaluations.HELD_OUT_BEFORE), evaluation(Evaluations.HELD_OUT_AFTER), mean, gains);
        Summary.Gain gain = figure.gain();
        OptionalDouble clean = evaluation(Evaluations.CLEAN_REFERENCE)
                .map(found -> mean.apply(found.overall()))
                .orElse(OptionalDouble.empty());
        return new ReportPage.Figure(
                name,
                unit,
                fixed(figure.start(), decimals),
                fixed(figure.end(), decimals),
                gain == null ? "" : signed(gain.mean(), decimals),
                gain == null
                        ? "measured before and after a whole run"
                        : "%s; better on %s %% of %s tasks"
                                .formatted(
                                        interval(gain, decimals), fixed(100 * gain.better(), 0), grouped(gain.tasks())),
                clean.isEmpty() ? "" : fixed(clean, decimals));
    }

    private static String interval(Summary.Gain gain, int decimals) {
        return gain.low().isEmpty() || gain.high().isEmpty()
                ? "no interval: " + Summary.Gain.NO_INTERVAL
                : "95 %% interval %s to %s"
                        .formatted(
                                signed(gain.low().getAsDouble(), decimals),
                                signed(gain.high().getAsDouble(), decimals));
    }

    private String honesty() {
        return evaluation(Evaluations.CLEAN_REFERENCE)
                .flatMap(clean -> clean.overall().groundTruth().stream().boxed().findFirst())
                .map(clean ->
                        ("The clean base, trained as long on correct pairs alone and never reinforced, reaches a ground"
                                        + " truth of %s on the same tasks.")
                                .formatted(fixed(clean, 3)))
                .orElse("");
    }

    private List<TemplateHTMLOutputModel> learning() {
        return charts(List.of(
                curves(
                        new Chart.Labels("Ground truth", "steps", "agreement with the exact target"),
                        StepMetrics::groundTruth,
                        Measurement.Averages::groundTruth),
                curves(
                        new Chart.Labels("Reward", "steps", "the judge’s score"),
                        step -> step.reward().mean(),
                        Measurement.Averages::reward)));
    }

    /** Returns the curves; empty if none of the values was measured. */
    private Optional<String> curves(
            Chart.Labels labels,
            Function<StepMetrics, OptionalDouble> ofStep,
            Function<Measurement.Averages, OptionalDouble> ofEvaluation) {
        List<Chart.Point> training = points(ofStep);
        List<Chart.Point> validation = evaluations.values().stream()
                .filter(result -> Evaluations.isValidation(result.name()))
                .sorted(Comparator.comparingLong(EvaluationResult::version))
                .flatMap(result -> ofEvaluation.apply(result.overall()).stream()
                        .mapToObj(value -> new Chart.Point(result.version(), value)))
                .toList();
        List<Chart.Point> heldOut = new ArrayList<>();
        evaluation(Evaluations.HELD_OUT_BEFORE)
                .map(result -> ofEvaluation.apply(result.overall()))
                .ifPresent(value -> value.ifPresent(start -> heldOut.add(new Chart.Point(0, start))));
        evaluation(Evaluations.HELD_OUT_AFTER)
                .map(result -> ofEvaluation.apply(result.overall()))
                .ifPresent(value -> value.ifPresent(end -> heldOut.add(new Chart.Point(committed(), end))));
        List<Chart.Level> clean =
                evaluation(Evaluations.CLEAN_REFERENCE).map(result -> ofEvaluation.apply(result.overall())).stream()
                        .flatMapToDouble(OptionalDouble::stream)
                        .mapToObj(value -> new Chart.Level("held-out, clean base without reinforcement", 4, value))
                        .toList();
        if (training.isEmpty() && validation.isEmpty() && heldOut.isEmpty()) {
            return Optional.empty();
        }
        int window = Math.max(1, training.size() / 20);
        List<Chart.Series> series = new ArrayList<>();
        if (window > 1) {
            series.add(new Chart.Series("training images", 0, Chart.Mark.PALE, training));
        }
        String mean = window > 1 ? "training images, mean of %s steps".formatted(grouped(window)) : "training images";
        series.add(new Chart.Series(mean, 0, Chart.Mark.LINE, moving(training, window)));
        series.add(new Chart.Series("validation tasks", 1, Chart.Mark.DOTS, validation));
        series.add(new Chart.Series("held-out tasks, start and end", 2, Chart.Mark.DIAMONDS, heldOut));
        return Optional.of(Chart.lines(labels, series, clean));
    }

    private int committed() {
        return steps.isEmpty() ? 0 : steps.getLast().step() + 1;
    }

    private List<Chart.Point> points(Function<StepMetrics, OptionalDouble> figure) {
        return steps.stream()
                .flatMap(step -> figure.apply(step).stream().mapToObj(value -> new Chart.Point(step.step(), value)))
                .toList();
    }

    /** Returns the mean of each point and up to {@code window - 1} points before it. */
    private static List<Chart.Point> moving(List<Chart.Point> points, int window) {
        return IntStream.range(0, points.size())
                .mapToObj(i -> new Chart.Point(
                        points.get(i).x(),
                        points.subList(Math.max(0, i - window + 1), i + 1).stream()
                                .mapToDouble(Chart.Point::y)
                                .average()
                                .orElseThrow()))
                .toList();
    }

    private List<TemplateHTMLOutputModel> groups() {
        if (steps.isEmpty()) {
            return List.of();
        }
        int tenth = Math.max(1, steps.size() / 10);
        int tail = Math.max(tenth, steps.size() - tenth);
        List<Chart.Layer> spreads = new ArrayList<>();
        spreads.add(new Chart.Layer(
                "first %s %s".formatted(grouped(tenth), tenth == 1 ? "step" : "steps"),
                1,
                spread(steps.subList(0, tenth))));
        if (tail < steps.size()) {
            int last = steps.size() - tail;
            spreads.add(new Chart.Layer(
                    "last %s %s".formatted(grouped(last), last == 1 ? "step" : "steps"),
                    0,
                    spread(steps.subList(tail, steps.size()))));
        }
        return charts(List.of(
                Optional.of(Chart.histogram(
                        new Chart.Labels(
                                "Spread within groups", "standard deviation of the rewards", "% of the groups"),
                        spreads,
                        BINS)),
                Optional.of(Chart.stacks(
                        new Chart.Labels("Decisions", "steps", "groups per step"),
                        List.of(
                                layer("kept", 2, step -> (double) step.groups().kept()),
                                layer("dropped", 1, step ->
                                        (double) step.groups().dropped()),
                                layer("abandoned", 3, step ->
                                        (double) step.groups().abandoned()))))));
    }

    private static List<Double> spread(List<StepMetrics> steps) {
        return steps.stream().flatMap(step -> step.spread().stream()).toList();
    }

    private Chart.Layer layer(String name, int colour, Function<StepMetrics, Double> value) {
        return new Chart.Layer(name, colour, steps.stream().map(value).toList());
    }

    private List<TemplateHTMLOutputModel> optimizer() {
        return charts(List.of(
                passes("Policy loss", "mean over samples and optimizer steps", 0, StepMetrics.Pass::policyLoss),
                passes(
                        "Gradient norm",
                        "before clipping, mean of the optimizer steps",
                        3,
                        StepMetrics.Pass::gradientNorm),
                passes(
                        "Distance to the reference",
                        "KL loss, mean over samples and optimizer steps",
                        4,
                        StepMetrics.Pass::klLoss)));
    }

    /** Returns the chart; empty if the value is zero throughout. */
    private Optional<String> passes(
            String title, String unit, int colour, Function<StepMetrics.Pass, OptionalDouble> figure) {
        List<Chart.Point> points = points(step -> step.passes().stream()
                .map(figure)
                .flatMapToDouble(OptionalDouble::stream)
                .average());
        return points.stream().allMatch(point -> point.y() == 0)
                ? Optional.empty()
                : Optional.of(Chart.lines(
                        new Chart.Labels(title, "steps", unit),
                        List.of(new Chart.Series(title, colour, Chart.Mark.LINE, points)),
                        List.of()));
    }

    private List<TemplateHTMLOutputModel> speed() {
        List<Chart.Point> points = points(StepMetrics::imagesPerSecond);
        return points.isEmpty()
                ? List.of()
                : charts(List.of(Optional.of(Chart.lines(
                        new Chart.Labels("Speed", "steps", "images per second, generated, scored and trained on"),
                        List.of(new Chart.Series("images per second", 0, Chart.Mark.LINE, points)),
                        List.of()))));
    }

    private static List<TemplateHTMLOutputModel> charts(List<Optional<String>> charts) {
        return charts.stream().flatMap(Optional::stream).map(HtmlPages::markup).toList();
    }

    private List<ReportPage.Task> tasks() {
        Optional<EvaluationResult> before = evaluation(Evaluations.HELD_OUT_BEFORE);
        if (before.isEmpty()) {
            return List.of();
        }
        Map<String, Measurement.Averages> after = evaluation(Evaluations.HELD_OUT_AFTER)
                .map(EvaluationResult::perTask)
                .orElse(Map.of());
        Map<String, Measurement.Averages> clean = evaluation(Evaluations.CLEAN_REFERENCE)
                .map(EvaluationResult::perTask)
                .orElse(Map.of());
        List<ReportPage.Task> tasks = new ArrayList<>();
        before.get().perTask().forEach((type, start) -> {
            Optional<Measurement.Averages> end = Optional.ofNullable(after.get(type));
            OptionalDouble truthAfter =
                    end.map(Measurement.Averages::groundTruth).orElse(OptionalDouble.empty());
            OptionalDouble truthClean = Optional.ofNullable(clean.get(type))
                    .map(Measurement.Averages::groundTruth)
                    .orElse(OptionalDouble.empty());
            OptionalDouble rewardAfter = end.map(Measurement.Averages::reward).orElse(OptionalDouble.empty());
            tasks.add(new ReportPage.Task(
                    plain(type),
                    start.edits(),
                    fixed(start.groundTruth(), 3),
                    fixed(truthAfter, 3),
                    gain(start.groundTruth(), truthAfter),
                    fixed(truthClean, 3),
                    HtmlPages.markup(span(start.groundTruth(), truthAfter, truthClean)),
                    fixed(start.reward(), 3),
                    fixed(rewardAfter, 3),
                    gain(start.reward(), rewardAfter)));
        });
        return tasks;
    }

    private static String gain(OptionalDouble from, OptionalDouble to) {
        return from.isEmpty() || to.isEmpty() ? ABSENT : signed(to.getAsDouble() - from.getAsDouble(), 3);
    }

    private static String span(OptionalDouble from, OptionalDouble to, OptionalDouble clean) {
        StringBuilder svg = new StringBuilder(
                "<svg class=\"span\" viewBox=\"0 0 160 16\" aria-hidden=\"true\"><line class=\"grid\" x1=\"4\""
                        + " x2=\"156\" y1=\"8\" y2=\"8\"/>");
        if (clean.isPresent()) {
            String at = at(clean);
            svg.append("<line class=\"clean c4\" x1=\"%s\" x2=\"%s\" y1=\"1\" y2=\"15\"/>".formatted(at, at));
        }
        if (from.isPresent() && to.isPresent()) {
            svg.append("<line class=\"way c0\" x1=\"%s\" x2=\"%s\" y1=\"8\" y2=\"8\"/>".formatted(at(from), at(to)));
        }
        if (from.isPresent()) {
            svg.append("<circle class=\"ring c0\" cx=\"%s\" cy=\"8\" r=\"3.4\"/>".formatted(at(from)));
        }
        if (to.isPresent()) {
            svg.append("<circle class=\"dot c0\" cx=\"%s\" cy=\"8\" r=\"4\"/>".formatted(at(to)));
        }
        return svg.append("</svg>").toString();
    }

    private static String at(OptionalDouble share) {
        return fixed(4 + 152 * Math.clamp(share.getAsDouble(), 0, 1), 1);
    }

    private List<ReportPage.Strip> comparison() {
        List<ContactSheet> sheets = JsonLines.read(directory.sheets(), ContactSheet.class);
        return sheets.stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.COMPARISON)
                .reduce((_, later) -> later)
                .or(() -> sheets.stream()
                        .filter(sheet -> sheet.kind() == ContactSheet.Kind.BEFORE)
                        .reduce((_, later) -> later))
                .map(this::strips)
                .orElse(List.of());
    }

    private List<ReportPage.Step> training() {
        List<ContactSheet> all = JsonLines.read(directory.sheets(), ContactSheet.class).stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.TRAINING)
                .sorted(Comparator.comparingInt(ContactSheet::step))
                .toList();
        List<ContactSheet> shown = new ArrayList<>(all.subList(0, Math.min(all.size(), TRAINING_SHEETS_MAX / 2)));
        shown.addAll(all.subList(Math.max(shown.size(), all.size() - TRAINING_SHEETS_MAX / 2), all.size()));
        Map<Integer, List<ReportPage.Strip>> byStep = new TreeMap<>();
        for (ContactSheet sheet : shown) {
            byStep.computeIfAbsent(sheet.step(), _ -> new ArrayList<>()).addAll(strips(sheet));
        }
        return byStep.entrySet().stream()
                .map(step -> new ReportPage.Step("Step " + grouped(step.getKey()), step.getValue()))
                .toList();
    }

    private List<ReportPage.Strip> strips(ContactSheet sheet) {
        List<List<@Nullable RgbImage>> images = sheet.images(directory);
        return IntStream.range(0, sheet.rows().size())
                .mapToObj(r -> strip(sheet.rows().get(r), images.get(r)))
                .toList();
    }

    private static ReportPage.Strip strip(ContactSheet.Row row, List<@Nullable RgbImage> images) {
        DoubleSummaryStatistics scores = row.cells().stream()
                .map(ContactSheet.Cell::reward)
                .flatMapToDouble(OptionalDouble::stream)
                .summaryStatistics();
        OptionalDouble best = row.decision() != null && scores.getMax() > scores.getMin()
                ? OptionalDouble.of(scores.getMax())
                : OptionalDouble.empty();
        List<ReportPage.Tile> tiles = new ArrayList<>();
        ContactSheet.Role before = ContactSheet.Role.NONE;
        for (int c = 0; c < images.size(); c++) {
            RgbImage image = images.get(c);
            ContactSheet.Cell cell = row.cells().get(c);
            if (image != null) {
                tiles.add(tile(cell, image, cell.role() != before && !tiles.isEmpty(), best));
                before = cell.role();
            }
        }
        return new ReportPage.Strip(
                plain(row.taskType()),
                plain(row.instruction()),
                row.decision() == null ? "" : row.decision().name().toLowerCase(Locale.ROOT),
                row.reason() == null ? "" : plain(row.reason()),
                tiles);
    }

    private static ReportPage.Tile tile(ContactSheet.Cell cell, RgbImage image, boolean first, OptionalDouble best) {
        String role = cell.role().name().toLowerCase(Locale.ROOT);
        boolean edit =
                switch (cell.role()) {
                    case EDIT, BEFORE, AFTER -> true;
                    case SOURCE, REFERENCE, TARGET, NONE -> false;
                };
        String unscored = cell.unscored();
        return new ReportPage.Tile(
                role,
                first,
                cell.reward().isPresent() && cell.reward().equals(best) ? "best" : unscored == null ? "" : "unscored",
                Base64.getEncoder().encodeToString(image.png()),
                role,
                edit ? cell.reward().isPresent() ? fixed(cell.reward(), 2) : "unscored" : role,
                cell.groundTruth().isPresent() ? fixed(cell.groundTruth(), 2) : "",
                unscored == null ? "" : plain(unscored));
    }

    private static ReportPage.Line line(GroupDecision decision) {
        long scored =
                decision.rewards().stream().filter(OptionalDouble::isPresent).count();
        return new ReportPage.Line(
                decision.step(),
                decision.group(),
                plain(decision.taskType()),
                plain(decision.instruction()),
                decision.decision().name().toLowerCase(Locale.ROOT),
                fixed(decision.mean(), 3),
                fixed(decision.std(), 3),
                scored + "/" + decision.rewards().size(),
                plain(decision.reason() + (decision.lost() == null ? "" : "; " + decision.lost())));
    }

    private String decisionsNote() {
        return decisionCount <= decisions.size()
                ? "All %s decisions, newest first.".formatted(grouped(decisionCount))
                : "The newest %s of %s decisions.".formatted(grouped(decisions.size()), grouped(decisionCount));
    }

    private List<ReportPage.Stage> stages() {
        Summary known = summary;
        if (known == null) {
            return List.of();
        }
        double whole = known.timings().getOrDefault("steps", 0.0);
        return known.timings().entrySet().stream()
                .map(stage -> new ReportPage.Stage(
                        plain(stage.getKey()),
                        time(stage.getValue()),
                        whole > 0
                                        && List.of("rollout", "scoring", "waiting", "learning")
                                                .contains(stage.getKey())
                                ? fixed(Math.min(100, 100 * stage.getValue() / whole), 0)
                                : ""))
                .toList();
    }

    private List<ReportPage.Fact> digests() {
        Summary known = summary;
        if (known == null) {
            return List.of();
        }
        RunDigests digests = known.digests();
        return List.of(
                new ReportPage.Fact("weights", digests.weights()),
                new ReportPage.Fact("optimizer", digests.optimizer()),
                new ReportPage.Fact("decisions", digests.decisions()));
    }

    private String settings() {
        try {
            return Files.exists(directory.settings()) ? plain(Files.readString(directory.settings())) : "";
        } catch (IOException e) {
            throw RunDirectory.failed("read", directory.settings(), e);
        }
    }

    /** Returns the text without characters that are not allowed in a page. */
    private static String plain(String text) {
        return text.replaceAll("[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\uFFFE\\uFFFF\\p{Cs}]", "�");
    }

    private static String fixed(OptionalDouble value, int decimals) {
        return value.isPresent() ? fixed(value.getAsDouble(), decimals) : ABSENT;
    }

    private static String fixed(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static String signed(double value, int decimals) {
        String digits = fixed(Math.abs(value), decimals);
        boolean zero = digits.chars().allMatch(c -> c == '0' || c == '.');
        return (zero ? "±" : value < 0 ? "−" : "+") + digits;
    }

    private static String grouped(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static String time(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 60) {
            return fixed(seconds, 1) + " s";
        }
        return whole < 3600
                ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
    }
}
