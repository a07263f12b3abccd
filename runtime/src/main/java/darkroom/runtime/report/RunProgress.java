package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.statistics.FilterDecision;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.ProgressRate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** The current state of a run, in figures for people. Not thread-safe. */
final class RunProgress {
    private static final Duration SPEED_WINDOW = Duration.ofSeconds(20);
    private static final int STEPS_REMEMBERED = 8;
    private static final int GROUPS_REMEMBERED = 64;
    private static final int MEANS_REMEMBERED = 60;
    private static final int TREND_STEPS = 8;
    private static final double TREND_MARGIN = 0.005;

    private final InstantSource clock;
    private final Instant begin;

    private String stage = "";
    private int total;
    private int done;
    private Instant stageBegin;
    private ProgressRate rate;

    private boolean training;
    private int groupsPerStep;
    private int groupsFinished;
    private int groupsValidated;

    private final Deque<Images> images = new ArrayDeque<>();
    private final List<Double> means = new ArrayList<>();
    private long kept;
    private long dropped;
    private long abandoned;
    private long unscored;
    private @Nullable String measuredName;
    private Measurement.@Nullable Averages measured;
    private final Map<String, OptionalDouble> firstEnvironmentTruths = new HashMap<>();

    private record Images(Instant at, int count) {}

    /** Direction of the reward: the mean of the newer half of the last steps against the older half. */
    enum Trend {
        RISING,
        LEVEL,
        FALLING
    }

    RunProgress(InstantSource clock) {
        this.clock = clock;
        this.begin = clock.instant();
        this.stageBegin = begin;
        this.rate = new ProgressRate(begin, GROUPS_REMEMBERED);
    }

    /**
     * Begins a stage.
     *
     * @param total number of items of the stage; 0 if unknown
     */
    void stage(String name, int total) {
        begin(name, total, 0, GROUPS_REMEMBERED);
        training = false;
    }

    /**
     * Begins training.
     *
     * @param committed steps that are committed already
     * @param steps the step at which training ends
     */
    void training(int committed, int steps, int groupsPerStep) {
        begin("training", steps, committed, STEPS_REMEMBERED);
        this.training = true;
        this.groupsPerStep = groupsPerStep;
        this.groupsFinished = 0;
        this.groupsValidated = 0;
    }

    private void begin(String name, int total, int done, int remembered) {
        this.stage = name;
        this.total = total;
        this.done = done;
        this.stageBegin = clock.instant();
        this.rate = new ProgressRate(stageBegin, remembered);
        images.clear();
    }

    /** Counts one more finished item of the stage. */
    void advance() {
        done++;
        rate.mark(clock.instant());
    }

    void measured(String name, Measurement measurement) {
        measuredName = name;
        measured = measurement.overall();
        firstEnvironmentTruths.putIfAbsent(rows(name), measured.groundTruth());
    }

    /** Returns the rows of an evaluation; evaluations with equal rows may be compared. */
    private static String rows(String evaluation) {
        return switch (evaluation) {
            case Evaluations.HELD_OUT_BEFORE, Evaluations.HELD_OUT_AFTER -> "held out";
            default -> Evaluations.isValidation(evaluation) ? "validation" : evaluation;
        };
    }

    void heard(RunEvent event) {
        switch (event) {
            case RunEvent.GroupFinished(String run, GroupOutcome ending) -> finished(ending);
            case RunEvent.StepCommitted committed -> committed(committed);
            case RunEvent.Evaluated evaluated -> groupsValidated = 0;
            case RunEvent other -> {}
        }
    }

    private void finished(GroupOutcome ending) {
        if (ending instanceof GroupOutcome.Finished ended) {
            images.add(new Images(clock.instant(), ended.outcomes().size()));
            forgetOldImages();
        }
        if (!training) {
            advance();
        } else if (ending.rollout().purpose() == RolloutUnit.Purpose.EVALUATION) {
            groupsValidated++;
        } else {
            groupsFinished++;
        }
    }

    private void committed(RunEvent.StepCommitted committed) {
        advance();
        done = committed.step() + 1;
        groupsFinished =
                Math.max(0, groupsFinished - committed.statistics().groups().size());
        committed.statistics().mean().ifPresent(means::add);
        if (means.size() > MEANS_REMEMBERED) {
            means.removeFirst();
        }
        for (var group : committed.statistics().groups()) {
            switch (group.decision()) {
                case FilterDecision.Kept _ -> kept++;
                case FilterDecision.Dropped _ -> dropped++;
                case FilterDecision.Abandoned _ -> abandoned++;
            }
        }
        unscored += committed.statistics().unscored();
    }

    /**
     * Returns images generated and scored per second, recently: over 20 s or three steps, whichever is longer. Empty
     * without images.
     */
    OptionalDouble imagesPerSecond() {
        forgetOldImages();
        Instant now = clock.instant();
        Duration seen = Duration.between(stageBegin, now);
        Duration over = seen.compareTo(window()) < 0 ? seen : window();
        long count = images.stream().mapToLong(Images::count).sum();
        return count == 0 || over.isZero()
                ? OptionalDouble.empty()
                : OptionalDouble.of(count / (over.toNanos() * 1e-9));
    }

    private void forgetOldImages() {
        Instant oldest = clock.instant().minus(window());
        while (!images.isEmpty() && !images.getFirst().at().isAfter(oldest)) {
            images.removeFirst();
        }
    }

    private Duration window() {
        Duration steps = training ? rate.perMark().orElse(Duration.ZERO).multipliedBy(3) : Duration.ZERO;
        return steps.compareTo(SPEED_WINDOW) > 0 ? steps : SPEED_WINDOW;
    }

    /** Returns the remaining time of the stage; empty before its first item and if the total is unknown. */
    Optional<Duration> remaining() {
        return total == 0 ? Optional.empty() : rate.remaining(Math.max(0, total - done), clock.instant());
    }

    /** Returns the time since the view was opened. */
    Duration elapsed() {
        return Duration.between(begin, clock.instant());
    }

    /**
     * Returns the current activity of the stage: the step and its part; for other stages the number of finished items.
     */
    List<String> activity() {
        if (!training) {
            return total == 0 ? List.of() : List.of("%d of %d".formatted(done, total));
        }
        List<String> parts = new ArrayList<>();
        parts.add("step %d of %d".formatted(Math.min(done + 1, total), total));
        if (done < total) {
            parts.add(
                    groupsFinished < groupsPerStep
                            ? "rollout and scoring, %d of %d groups".formatted(groupsFinished, groupsPerStep)
                            : "updating weights");
        }
        if (groupsValidated > 0) {
            parts.add("validating, %d tasks done".formatted(groupsValidated));
        }
        return parts;
    }

    String stage() {
        return stage;
    }

    /** Returns the number of items of the stage; for training the steps. 0 if unknown. */
    int total() {
        return total;
    }

    /** Returns the finished share in [0, 1]; empty if the total is unknown. */
    OptionalDouble fraction() {
        return total == 0 ? OptionalDouble.empty() : OptionalDouble.of(Math.min(1, (double) done / total));
    }

    /** Returns the mean rewards of the last steps, oldest first; at most 60. */
    List<Double> means() {
        return List.copyOf(means);
    }

    /** Returns the direction of the reward; empty before the fourth step. */
    Optional<Trend> trend() {
        int steps = Math.min(TREND_STEPS, means.size());
        if (steps < 4) {
            return Optional.empty();
        }
        List<Double> last = means.subList(means.size() - steps, means.size());
        double change = mean(last.subList(steps / 2, steps)) - mean(last.subList(0, steps / 2));
        if (Math.abs(change) <= TREND_MARGIN) {
            return Optional.of(Trend.LEVEL);
        }
        return Optional.of(change > 0 ? Trend.RISING : Trend.FALLING);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** Returns groups by decision, and images without a score, since the view was opened. */
    List<String> counts() {
        return List.of(
                kept + " kept",
                dropped + " dropped",
                abandoned + " abandoned",
                unscored == 1 ? "1 image unscored" : unscored + " images unscored");
    }

    boolean hasCounts() {
        return kept + dropped + abandoned > 0;
    }

    /** Formats a value with three decimals and a decimal point in every locale. */
    static String figure(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    /**
     * Returns name and figures of the last measurement, with the first ground truth on the same rows for comparison;
     * empty before one.
     */
    List<String> measurement() {
        Measurement.Averages figures = measured;
        if (figures == null || measuredName == null) {
            return List.of();
        }
        OptionalDouble first = firstEnvironmentTruths.getOrDefault(rows(measuredName), OptionalDouble.empty());
        List<String> parts = new ArrayList<>();
        parts.add(measuredName);
        figures.reward().ifPresent(reward -> parts.add("reward " + figure(reward)));
        figures.groundTruth()
                .ifPresent(truth -> parts.add(
                        first.isPresent() && first.getAsDouble() != truth
                                ? "ground truth %s (%s at first)".formatted(figure(truth), figure(first.getAsDouble()))
                                : "ground truth " + figure(truth)));
        if (figures.unscored() > 0) {
            parts.add("%d of %d images unscored".formatted(figures.unscored(), figures.edits()));
        }
        return parts;
    }
}
