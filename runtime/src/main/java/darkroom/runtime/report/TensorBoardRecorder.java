package darkroom.runtime.report;

import darkroom.actors.events.PassStatistics;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.StepTimings;
import darkroom.actors.statistics.FilterDecision;
import darkroom.config.ErrorReason;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Measurement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Writes a run's figures for TensorBoard. The step of an event is the number of commits: the first step of training is
 * 1, a validation is at the version that generated its images, and any other evaluation is at the current step, so that
 * one made before training is at 0.
 *
 * <p>A step has {@code reward/mean|std}, {@code groups/kept|dropped|abandoned},
 * {@code images/issued|training-samples|unscored}, {@code loss/policy|kl} and {@code loss/gradient_norm} if an
 * optimizer step was made, {@code speed/images_per_second}, and {@code seconds/step|rollout|scoring|waiting|learning}.
 * An evaluation has {@code validation/…}, {@code held_out/…} or {@code clean_reference/…}: {@code reward},
 * {@code ground_truth}, {@code psnr_outside}, {@code unscored}, and the first two for each task type. A figure that
 * does not exist is not written.
 */
public final class TensorBoardRecorder implements RunListener, AutoCloseable {
    private final EventFile file;
    private final Function<RunEvent.Evaluated, Measurement> measure;
    private long committed;

    private TensorBoardRecorder(EventFile file, long committed, Function<RunEvent.Evaluated, Measurement> measure) {
        this.file = file;
        this.committed = committed;
        this.measure = measure;
    }

    /**
     * Creates another event file in {@code directory}.
     *
     * @param clock wall time of the events
     * @param committed steps committed already: 0, or the step from which a run resumes
     * @param measure reads the figures of an evaluation while its images are held, as {@link Evaluator#measure} does
     * @throws IOException if the file cannot be created
     */
    public static TensorBoardRecorder in(
            Path directory, InstantSource clock, long committed, Function<RunEvent.Evaluated, Measurement> measure)
            throws IOException {
        return new TensorBoardRecorder(EventFile.create(directory, clock, committed), committed, measure);
    }

    /**
     * Writes the figures of an event.
     *
     * @throws UncheckedIOException if the file cannot be written: the disk is full, or the directory is gone
     */
    @Override
    public void heard(RunEvent event) {
        switch (event) {
            case RunEvent.StepCommitted step -> {
                committed = step.step() + 1L;
                write(committed, figures(step));
            }
            case RunEvent.Evaluated evaluated ->
                write(
                        Evaluations.isValidation(evaluated.request())
                                ? evaluated.request().version().value()
                                : committed,
                        figures(prefix(evaluated.request().name()), measure.apply(evaluated)));
            case RunEvent other -> {}
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private void write(long step, Map<String, Double> figures) {
        try {
            file.write(step, figures);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file.path() + ": " + ErrorReason.of(e), e);
        }
    }

    private static Map<String, Double> figures(RunEvent.StepCommitted committed) {
        Map<String, Double> figures = new LinkedHashMap<>();
        put(figures, "reward/mean", committed.statistics().mean());
        if (committed.statistics().scored() > 0) {
            figures.put("reward/std", committed.statistics().globalStd());
        }
        figures.put("groups/kept", groups(committed, FilterDecision.Kept.class));
        figures.put("groups/dropped", groups(committed, FilterDecision.Dropped.class));
        figures.put("groups/abandoned", groups(committed, FilterDecision.Abandoned.class));
        figures.put("images/issued", (double) committed.tally().issued());
        figures.put("images/training-samples", (double) committed.trainingSamples());
        figures.put("images/unscored", (double) committed.tally().unscored());
        put(figures, "loss/policy", perSample(committed.passes(), PassStatistics::policyLoss));
        put(figures, "loss/kl", perSample(committed.passes(), PassStatistics::klLoss));
        put(
                figures,
                "loss/gradient_norm",
                committed.passes().stream()
                        .mapToDouble(PassStatistics::gradientNorm)
                        .average());
        StepTimings timings = committed.timings();
        double seconds = seconds(timings.sinceLastCommit());
        if (seconds > 0) {
            figures.put("speed/images_per_second", committed.tally().issued() / seconds);
        }
        figures.put("seconds/step", seconds);
        figures.put("seconds/rollout", seconds(timings.generating()));
        figures.put("seconds/scoring", seconds(timings.scoring()));
        figures.put("seconds/waiting", seconds(timings.waiting()));
        figures.put("seconds/learning", seconds(timings.learning()));
        return figures;
    }

    private static String prefix(String evaluation) {
        return switch (evaluation) {
            case Evaluations.HELD_OUT_BEFORE, Evaluations.HELD_OUT_AFTER -> "held_out/";
            case Evaluations.CLEAN_REFERENCE -> "clean_reference/";
            default -> Evaluations.isValidation(evaluation) ? "validation/" : evaluation + "/";
        };
    }

    private static Map<String, Double> figures(String prefix, Measurement measurement) {
        Map<String, Double> figures = new LinkedHashMap<>();
        Measurement.Averages all = measurement.overall();
        put(figures, prefix + "reward", all.reward());
        put(figures, prefix + "ground_truth", all.groundTruth());
        put(figures, prefix + "psnr_outside", all.psnrOutside());
        figures.put(prefix + "unscored", (double) all.unscored());
        measurement.perTask().forEach((task, averages) -> {
            put(figures, prefix + "reward/" + task, averages.reward());
            put(figures, prefix + "ground_truth/" + task, averages.groundTruth());
        });
        return figures;
    }

    private static void put(Map<String, Double> figures, String tag, OptionalDouble value) {
        value.ifPresent(known -> figures.put(tag, known));
    }

    private static double groups(RunEvent.StepCommitted committed, Class<? extends FilterDecision> decision) {
        return committed.statistics().groups().stream()
                .filter(group -> decision.isInstance(group.decision()))
                .count();
    }

    /** Returns the mean over all samples of the step: every pass counts once per sample. */
    private static OptionalDouble perSample(List<PassStatistics> passes, ToDoubleFunction<PassStatistics> loss) {
        long samples = passes.stream().mapToLong(PassStatistics::samples).sum();
        return samples == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(passes.stream()
                                .mapToDouble(pass -> loss.applyAsDouble(pass) * pass.samples())
                                .sum()
                        / samples);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() * 1e-9;
    }
}
