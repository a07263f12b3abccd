package darkroom.runtime.report;

import darkroom.actors.events.PassStatistics;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StepTimings;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.runtime.base.JsonLines;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * One line of {@code metrics.jsonl}: a committed step.
 *
 * @param step from 0
 * @param reward over all scored images of the step
 * @param groups groups by filter decision
 * @param images images by outcome: issued = counted + dropped + unscored + abandoned (promise P-2)
 * @param withoutAdvantage counted images whose reward is exactly their group's mean: DiffusionNFT trains on them,
 *     Flow-GRPO does not; absent in lines of older runs
 * @param trainingSamples samples trained on, over all passes
 * @param passes one entry per optimizer step; empty if no group was kept
 * @param timings in seconds
 * @param imagesPerSecond images issued divided by the time the step took
 * @param spread standard deviation of the rewards within each group that has scores, in group order
 * @param groundTruth mean over the images whose target is known
 */
public record StepMetrics(
        int step,
        Reward reward,
        Groups groups,
        Images images,
        OptionalInt withoutAdvantage,
        int trainingSamples,
        List<Pass> passes,
        Timings timings,
        OptionalDouble imagesPerSecond,
        List<Double> spread,
        OptionalDouble groundTruth) {
    public StepMetrics {
        passes = List.copyOf(passes);
        spread = List.copyOf(spread);
    }

    /**
     * Rewards of a step.
     *
     * @param std population standard deviation over all scored images of the step
     */
    public record Reward(OptionalDouble mean, OptionalDouble std) {}

    /** Groups of a step by filter decision. */
    public record Groups(int kept, int dropped, int abandoned) {
        static final Groups NONE = new Groups(0, 0, 0);

        Groups plus(Groups other) {
            return new Groups(kept + other.kept, dropped + other.dropped, abandoned + other.abandoned);
        }
    }

    /**
     * Images of a step by outcome.
     *
     * @param issued slots of the step's groups
     * @param counted scored slots of kept groups
     * @param dropped scored slots of dropped groups
     * @param unscored slots without a score, in groups that were generated
     * @param abandoned scored slots of abandoned groups, and all slots of groups that could not be generated
     */
    public record Images(long issued, long counted, long dropped, long unscored, long abandoned) {
        static final Images NONE = new Images(0, 0, 0, 0, 0);

        Images plus(Images other) {
            return new Images(
                    issued + other.issued,
                    counted + other.counted,
                    dropped + other.dropped,
                    unscored + other.unscored,
                    abandoned + other.abandoned);
        }
    }

    /** One optimizer step. A loss or norm that is not finite is absent. */
    record Pass(int samples, int units, OptionalDouble policyLoss, OptionalDouble klLoss, OptionalDouble gradientNorm) {
        static Pass of(PassStatistics pass) {
            return new Pass(
                    pass.samples(),
                    pass.units(),
                    JsonLines.finite(pass.policyLoss()),
                    JsonLines.finite(pass.klLoss()),
                    JsonLines.finite(pass.gradientNorm()));
        }
    }

    /** {@link StepTimings} in seconds. */
    public record Timings(double rollout, double scoring, double waiting, double learning, double sinceLastCommit) {
        static Timings of(StepTimings timings) {
            return new Timings(
                    seconds(timings.generating()),
                    seconds(timings.scoring()),
                    seconds(timings.waiting()),
                    seconds(timings.learning()),
                    seconds(timings.sinceLastCommit()));
        }
    }

    /**
     * Returns the metrics of a committed step.
     *
     * @param groundTruth mean over the images of the step whose target is known
     */
    static StepMetrics of(RunEvent.StepCommitted committed, OptionalDouble groundTruth) {
        List<GroupStatistics> groups = committed.statistics().groups();
        Groups fates = Groups.NONE;
        for (GroupStatistics group : groups) {
            fates = fates.plus(
                    switch (group.decision()) {
                        case FilterDecision.Kept _ -> new Groups(1, 0, 0);
                        case FilterDecision.Dropped _ -> new Groups(0, 1, 0);
                        case FilterDecision.Abandoned _ -> new Groups(0, 0, 1);
                    });
        }
        Timings timings = Timings.of(committed.timings());
        return new StepMetrics(
                committed.step(),
                new Reward(
                        committed.statistics().mean(),
                        committed.statistics().scored() == 0
                                ? OptionalDouble.empty()
                                : OptionalDouble.of(committed.statistics().globalStd())),
                fates,
                new Images(
                        committed.tally().issued(),
                        committed.tally().counted(),
                        committed.tally().dropped(),
                        committed.tally().unscored(),
                        committed.tally().abandoned()),
                OptionalInt.of(withoutAdvantage(groups)),
                committed.trainingSamples(),
                committed.passes().stream().map(Pass::of).toList(),
                timings,
                JsonLines.finite(committed.tally().issued() / timings.sinceLastCommit()),
                groups.stream()
                        .map(GroupStatistics::std)
                        .filter(OptionalDouble::isPresent)
                        .map(OptionalDouble::getAsDouble)
                        .toList(),
                groundTruth);
    }

    private static int withoutAdvantage(List<GroupStatistics> groups) {
        return Math.toIntExact(groups.stream()
                .filter(group -> group.decision() instanceof FilterDecision.Kept)
                .flatMap(group -> group.standings().stream())
                .flatMap(Optional::stream)
                .filter(relative -> relative.advantage() == 0)
                .count());
    }

    static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
