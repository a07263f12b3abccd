package darkroom.runtime;

import darkroom.actors.device.ScoreOutcome;
import darkroom.config.PictureView;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.client.ReasonTally;
import darkroom.rewardactors.client.Scorer;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.report.InstructionLoss;
import darkroom.runtime.run.EditingPolicy;
import darkroom.runtime.run.Scorers;
import darkroom.runtime.studies.AlignReport;
import darkroom.runtime.studies.AnnotatedPair;
import darkroom.runtime.studies.EmbeddedPairs;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares scoring methods with pairs of edits of which a person preferred one. */
@Command(
        name = "align",
        description = {
            "Compares scoring methods with pairs of edits of which people preferred one (the paper's Table 4).",
            "",
            "A line of FILE: id, source, a, b, instruction, preferred (a, b or tie), and optionally task,"
                    + " requirement, reference, by (who preferred; default: people). Paths are relative to FILE.",
            "",
            "  darkroom align --pairs annotated.jsonl --scorer http://localhost:8000",
            "  darkroom align --embedded mixed",
            "",
            "Writes align.html, align.json and scores.jsonl into OUT. Tables: strict agreement (ties included), ties of"
                    + " one side counted half, and agreement on pairs that were not annotated as equivalent, each with"
                    + " a 95 %% interval of a bootstrap over sources. Exit code 3 if some edits could not be scored."
        })
final class AlignCommand implements Callable<Integer> {
    private static final String ALL = "all";
    private static final Duration REPORT_EVERY = Duration.ofSeconds(5);
    private static final int PAIRS_AHEAD_PER_PLACE = 2;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Origin origin = new Origin();

    /** Source of the pairs: a file or the embedded tasks. */
    static final class Origin {
        @Option(names = "--pairs", paramLabel = "FILE", description = "JSONL file of annotated pairs.")
        private @Nullable Path pairs;

        @Option(
                names = "--embedded",
                paramLabel = "C",
                description = "Pairs that this policy (a run, a checkpoint, or a shipped base: mixed, clean) generates"
                        + " for held-out embedded tasks. Ground truth replaces people.")
        private @Nullable String policy;
    }

    @Option(
            names = "--methods",
            paramLabel = "METHOD",
            split = ",",
            description = "score-logit, yes-no-logit, score-sampling, score-logit-cot, score-sampling-cot, the name of"
                    + " one of scoring.rewards, or all (default).")
    private List<String> methods = List.of(ALL);

    @Option(
            names = "--scorer",
            paramLabel = "URL",
            description = "An OpenAI-compatible scorer instead of the embedded judge; repeatable.")
    private List<URI> scorers = List.of();

    @Option(names = "--out", paramLabel = "OUT", description = "Must be empty or not there. Default: runs/align.")
    private Path out = Path.of("runs/align");

    @Option(names = "--tasks", paramLabel = "N", description = "With --embedded: rows. Default: 100.")
    private int tasks = 100;

    @Option(names = "--images", paramLabel = "N", description = "With --embedded: edits per row. Default: 4.")
    private int images = 4;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any setting of scoring, or data.pictures; repeatable.")
    private List<String> set = List.of();

    /** Scores of one pair by one method; one line of scores.jsonl. */
    record Line(
            String method,
            String id,
            OptionalDouble a,
            OptionalDouble b,
            @Nullable String unscored) {}

    /**
     * A scoring method to compare with the pairs.
     *
     * @param name the name of a method or of a further reward
     */
    private record Candidate(String name, Scorer scorer) {}

    @Override
    public Integer call() throws Exception {
        RunSettings settings = Precisions.decided(Recipes.load("embedded-demo", overrides()));
        requireFreePlace();
        try (Scorers servers = Scorers.open(settings.scoring())) {
            List<String> names = named(settings.scoring());
            Path file = origin.pairs == null ? generated(servers) : origin.pairs;
            List<AnnotatedPair> pairs = AnnotatedPair.read(file);
            if (settings.scoring().endpoints().isEmpty()) {
                InstructionLoss loss = new InstructionLoss();
                pairs.forEach(pair -> loss.add(pair.instruction()));
                loss.lines().forEach(line -> spec.commandLine().getErr().println("%s: %s".formatted(file, line)));
            }
            Files.createDirectories(out);
            List<AlignReport.Column> columns = new ArrayList<>();
            try (JsonLines<Line> lines = JsonLines.open(out.resolve("scores.jsonl"), Line.class, _ -> true)) {
                for (String name : names) {
                    try (Scorer scorer = scorer(servers, settings.scoring(), name)) {
                        columns.add(column(
                                new Candidate(name, scorer),
                                file,
                                pairs,
                                settings.data().pictures(),
                                lines));
                    }
                }
            }
            AlignReport report = new AlignReport(file, servers.describe(), pairs, columns);
            report.write(out);
            report.print(spec.commandLine().getOut(), TextTable.terminalColumns(spec.commandLine()));
            spec.commandLine().getOut().println(out.resolve(AlignReport.PAGE));
            spec.commandLine().getOut().flush();
            boolean unscored = columns.stream().anyMatch(column -> column.all().unscored() > 0);
            return (unscored ? ExitCode.UNSCORED : ExitCode.OK).code();
        }
    }

    private List<String> overrides() {
        return Stream.of(
                        List.of("evaluation.tasks=" + tasks, "evaluation.images-per-task=" + images),
                        set,
                        TrainCommand.endpoints(scorers))
                .flatMap(List::stream)
                .toList();
    }

    private void requireFreePlace() throws IOException {
        if (Files.exists(out)) {
            try (Stream<Path> there = Files.isDirectory(out) ? Files.list(out) : Stream.of(out)) {
                if (there.findAny().isPresent()) {
                    throw new CommandFailedException(
                            out + " is not an empty directory; name another with --out", ExitCode.USAGE);
                }
            }
        }
    }

    private List<String> named(ScoringSettings settings) {
        Map<String, Boolean> known = new LinkedHashMap<>();
        for (Method method : Method.values()) {
            boolean further = method == Method.PATTERN || method == Method.ADAPTER;
            if (!further || method == settings.method()) {
                known.put(label(method), true);
            }
        }
        settings.rewards().forEach(reward -> known.put(reward.name(), true));
        if (methods.equals(List.of(ALL))) {
            return List.copyOf(known.keySet());
        }
        for (String name : methods) {
            if (!known.containsKey(name)) {
                throw new CommandFailedException(
                        "--methods=%s is none of %s".formatted(name, known.keySet()), ExitCode.USAGE);
            }
        }
        return methods.stream().distinct().toList();
    }

    private Path generated(Scorers servers) throws Exception {
        PrintWriter err = spec.commandLine().getErr();
        EditingPolicy editing = EditingPolicy.load(String.valueOf(origin.policy), overrides());
        err.println("generating %d edits of %d held-out tasks by %s".formatted(tasks * images, tasks, editing.name()));
        err.flush();
        return EmbeddedPairs.write(editing, servers, out.resolve("pairs"), err);
    }

    private static Scorer scorer(Scorers servers, ScoringSettings settings, String name) {
        for (ScoringSettings.Reward reward : settings.rewards()) {
            if (reward.name().equals(name)) {
                return servers.scorer(reward);
            }
        }
        return servers.scorer(
                settings.with(Method.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'))));
    }

    private static String label(Method method) {
        return method.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private record Scored(ScoreOutcome a, ScoreOutcome b) {}

    /** Scores all pairs with one method; holds the pictures of only a few pairs in memory at a time. */
    private AlignReport.Column column(
            Candidate candidate, Path file, List<AnnotatedPair> pairs, PictureView view, JsonLines<Line> lines)
            throws IOException, InterruptedException {
        int ahead = PAIRS_AHEAD_PER_PLACE * candidate.scorer().concurrency();
        Semaphore places = new Semaphore(ahead);
        List<CompletableFuture<Scored>> asked = new ArrayList<>();
        long told = System.nanoTime();
        for (AnnotatedPair pair : pairs) {
            places.acquire();
            AnnotatedPair.Pictures pictures = pair.pictures(file, view);
            CompletableFuture<ScoreOutcome> a = score(candidate, pair, pictures, pictures.a());
            CompletableFuture<ScoreOutcome> b = score(candidate, pair, pictures, pictures.b());
            asked.add(a.thenCombine(b, Scored::new).whenComplete((_, _) -> places.release()));
            if (System.nanoTime() - told >= REPORT_EVERY.toNanos()) {
                told = System.nanoTime();
                spec.commandLine()
                        .getErr()
                        .println("%s: %d of %d pairs"
                                .formatted(
                                        candidate.name(),
                                        asked.stream()
                                                .filter(CompletableFuture::isDone)
                                                .count(),
                                        pairs.size()));
                spec.commandLine().getErr().flush();
            }
        }
        List<AlignReport.Scores> scores = new ArrayList<>();
        ReasonTally tally = new ReasonTally();
        for (int i = 0; i < pairs.size(); i++) {
            Scored scored = asked.get(i).join();
            tally.count(scored.a());
            tally.count(scored.b());
            lines.append(line(candidate.name(), pairs.get(i).id(), scored));
            scores.add(new AlignReport.Scores(number(scored.a()), number(scored.b())));
        }
        PrintWriter err = spec.commandLine().getErr();
        tally.reasons().forEach(line -> err.println(candidate.name() + ":" + line));
        if (!tally.flat().isEmpty()) {
            err.println("warn: %s: %s".formatted(candidate.name(), tally.flat()));
        }
        err.flush();
        return AlignReport.Column.of(candidate.name(), pairs, scores);
    }

    private static CompletableFuture<ScoreOutcome> score(
            Candidate candidate, AnnotatedPair pair, AnnotatedPair.Pictures pictures, PngImage edited) {
        return candidate
                .scorer()
                .score(new ScoreRequest(
                        pair.id(),
                        pictures.source(),
                        edited,
                        pictures.reference(),
                        pair.instruction(),
                        pair.requirement(),
                        pair.task()))
                .toCompletableFuture();
    }

    private static Line line(String method, String id, Scored scored) {
        String why = Stream.of(scored.a(), scored.b())
                .filter(ScoreOutcome.Unscored.class::isInstance)
                .map(outcome -> ((ScoreOutcome.Unscored) outcome).reason())
                .findFirst()
                .orElse(null);
        return new Line(method, id, number(scored.a()), number(scored.b()), why);
    }

    private static OptionalDouble number(ScoreOutcome outcome) {
        return outcome instanceof ScoreOutcome.Scored scored
                ? OptionalDouble.of(scored.score())
                : OptionalDouble.empty();
    }
}
