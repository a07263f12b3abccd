package darkroom.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.config.RunSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A run in figures: {@code summary.json}, one JSON object with these keys. A figure that was not measured is {@code null}.
 *
 * @param recipe name of the recipe
 * @param base weights that the run began with: {@code mixed}, {@code clean} or a path
 * @param seed key of all randomness
 * @param steps committed steps
 * @param stepsPlanned setting {@code steps}
 * @param end why the run ended
 * @param digests what two runs must have in common to be the same run (promise P-1)
 * @param reward the scorer's score of held-out edits, 0 to 1
 * @param groundTruth agreement of held-out edits with the exact target, 0 to 1
 * @param psnrOutside dB of held-out edits against the source, outside the edited region
 * @param cleanReference the same rows and noise drawn by the clean base without reinforcement; {@code null} if not drawn
 * @param counts what became of groups and images
 * @param timings seconds by stage, over all steps. Of a step: {@code drawing}, {@code scoring}, {@code waiting},
 *     {@code learning}, and {@code steps}, from commit to commit; the parts overlap where {@code rollout.staleness} = 1.
 *     Then whatever else the run spent time on, by name
 */
record Summary(
        String recipe,
        String base,
        long seed,
        int steps,
        int stepsPlanned,
        End end,
        RunDigests digests,
        Figure reward,
        Figure groundTruth,
        Figure psnrOutside,
        @Nullable Reference cleanReference,
        Counts counts,
        Map<String, Double> timings) {
    Summary {
        timings = Collections.unmodifiableMap(new LinkedHashMap<>(timings));
    }

    /**
     * @param kind {@code completed}, {@code rule}, {@code request} or {@code failed}
     * @param reason one line; empty for a completed run and for one that was asked to stop
     */
    record End(Kind kind, String reason) {
        /** Lower case in the file. */
        enum Kind {
            COMPLETED,
            RULE,
            REQUEST,
            FAILED
        }

        static End of(RunEvent.End end) {
            return switch (end) {
                case RunEvent.End.Completed() -> new End(Kind.COMPLETED, "");
                case RunEvent.End.ByRule(String reason) -> new End(Kind.RULE, reason);
                case RunEvent.End.ByRequest() -> new End(Kind.REQUEST, "");
                case RunEvent.End.Failed(String message) -> new End(Kind.FAILED, message);
            };
        }
    }

    /**
     * One measure of the held-out edits.
     *
     * @param start mean before the first step
     * @param end mean after the last step
     * @param gain {@code end - start} paired by row, with its 95 % interval
     */
    record Figure(
            OptionalDouble start,
            OptionalDouble end,
            @Nullable Gain gain) {

        static Figure of(
                Optional<EvaluationResult> before,
                Optional<EvaluationResult> after,
                Function<Measurement.Averages, OptionalDouble> mean,
                Gains gains) {
            List<PairedBootstrap> gain = before.isEmpty() || after.isEmpty()
                    ? List.of()
                    : gains.between(after.get().measurement(), before.get().measurement());
            return new Figure(mean(before, mean), mean(after, mean), gain.isEmpty() ? null : Gain.of(gain.getFirst()));
        }

        private static OptionalDouble mean(
                Optional<EvaluationResult> result, Function<Measurement.Averages, OptionalDouble> mean) {
            return result.map(found -> mean.apply(found.overall())).orElse(OptionalDouble.empty());
        }

        /** A method of {@link Measurement}. */
        @FunctionalInterface
        interface Gains {
            List<PairedBootstrap> between(Measurement after, Measurement before);
        }
    }

    /**
     * {@link PairedBootstrap} over tasks.
     *
     * @param low 2.5th percentile; empty if there is no interval
     * @param high 97.5th percentile; empty together with {@code low}
     * @param tasks rows with the figure both times
     * @param better share of tasks that got better, 0 to 1
     */
    record Gain(double mean, OptionalDouble low, OptionalDouble high, int tasks, double better) {
        /** Why there is none. */
        static final String NO_INTERVAL = "one task alone, or the same difference on every task";

        static Gain of(PairedBootstrap gain) {
            return new Gain(gain.mean(), gain.low(), gain.high(), gain.pairs(), gain.better());
        }
    }

    /** Means of the clean base over the held-out edits. */
    record Reference(OptionalDouble reward, OptionalDouble groundTruth, OptionalDouble psnrOutside) {}

    /**
     * @param kept groups trained on
     * @param dropped groups that teach nothing
     * @param abandoned groups with too few scores
     * @param unscored images without a score, in groups that were drawn; equal to {@code images.unscored}
     * @param images issued = counted + dropped + unscored + abandoned (promise P-2)
     * @param lessons samples trained on, over all passes
     */
    record Counts(int kept, int dropped, int abandoned, long unscored, StepMetrics.Images images, long lessons) {}

    /**
     * Adds up the files of a run.
     *
     * @param run its directory
     * @param steps committed steps, as the state that it ended with has them: files may have been deleted
     * @param stages what the run spent besides its steps, by name: for instance the held-out evaluations
     */
    static Summary of(
            Path run,
            RunSettings settings,
            RunDigests digests,
            int steps,
            RunEvent.End end,
            Map<String, Duration> stages) {
        RunDirectory directory = new RunDirectory(run);
        Totals totals = new Totals();
        JsonLines.forEach(directory.metrics(), StepMetrics.class, totals::add);
        Map<String, EvaluationResult> evaluations = new LinkedHashMap<>();
        JsonLines.forEach(
                directory.evaluations(), EvaluationResult.class, result -> evaluations.put(result.name(), result));
        Optional<EvaluationResult> before = Optional.ofNullable(evaluations.get(Evaluations.HELD_OUT_BEFORE));
        Optional<EvaluationResult> after = Optional.ofNullable(evaluations.get(Evaluations.HELD_OUT_AFTER));
        EvaluationResult clean = evaluations.get(Evaluations.CLEAN_REFERENCE);
        stages.forEach((name, time) -> totals.timings.put(name, StepMetrics.seconds(time)));
        return new Summary(
                settings.recipe(),
                settings.policy().base(),
                settings.seed(),
                steps,
                settings.steps(),
                End.of(end),
                digests,
                Figure.of(before, after, Measurement.Averages::reward, Measurement::rewardGain),
                Figure.of(before, after, Measurement.Averages::groundTruth, Measurement::groundTruthGain),
                Figure.of(before, after, Measurement.Averages::psnrOutside, Measurement::psnrOutsideGain),
                clean == null
                        ? null
                        : new Reference(
                                clean.overall().reward(),
                                clean.overall().groundTruth(),
                                clean.overall().psnrOutside()),
                new Counts(
                        totals.groups.kept(),
                        totals.groups.dropped(),
                        totals.groups.abandoned(),
                        totals.images.unscored(),
                        totals.images,
                        totals.lessons),
                totals.timings);
    }

    private static final class Totals {
        private long lessons;
        private StepMetrics.Groups groups = StepMetrics.Groups.NONE;
        private StepMetrics.Images images = StepMetrics.Images.NONE;
        private final Map<String, Double> timings = new LinkedHashMap<>();

        void add(StepMetrics step) {
            lessons += step.lessons();
            groups = groups.plus(step.groups());
            images = images.plus(step.images());
            timings.merge("drawing", step.timings().drawing(), Double::sum);
            timings.merge("scoring", step.timings().scoring(), Double::sum);
            timings.merge("waiting", step.timings().waiting(), Double::sum);
            timings.merge("learning", step.timings().learning(), Double::sum);
            timings.merge("steps", step.timings().sinceLastCommit(), Double::sum);
        }
    }

    /**
     * Writes {@code summary.json} into the directory of a run.
     *
     * @throws java.io.UncheckedIOException naming the file
     */
    void write(Path run) {
        Path file = new RunDirectory(run).summary();
        try {
            RunDirectory.write(
                    file, JsonLines.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
        } catch (JsonProcessingException e) {
            throw RunDirectory.failed("write", file, e);
        }
    }

    /**
     * Reads {@code summary.json} from the directory of a run.
     *
     * @throws java.io.UncheckedIOException naming the file, if it is not there or not whole
     */
    static Summary read(Path run) {
        Path file = new RunDirectory(run).summary();
        try {
            return JsonLines.JSON.readValue(Files.readAllBytes(file), Summary.class);
        } catch (IOException e) {
            throw RunDirectory.failed("read", file, e);
        }
    }
}
