package darkroom.runtime;

import darkroom.actors.GroupStatistics;
import darkroom.actors.PassStatistics;
import darkroom.actors.RunEvent;
import darkroom.actors.StepTimings;
import darkroom.actors.Verdict;
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
 * @param groups what became of the groups
 * @param images what became of the images: issued = counted + dropped + unscored + abandoned (promise P-2)
 * @param withoutAdvantage counted images whose reward is exactly their group's mean: DiffusionNFT trains them, Flow-GRPO
 *     does not; absent in lines of older runs
 * @param lessons samples trained on, over all passes
 * @param passes one entry an optimizer step; none if no group was kept
 * @param timings in seconds
 * @param imagesPerSecond images issued by what the step cost the run
 * @param spread standard deviation of the rewards within each group that has scores, in group order
 * @param groundTruth mean over the images whose target is known
 */
record StepMetrics(
        int step,
        Reward reward,
        Groups groups,
        Images images,
        OptionalInt withoutAdvantage,
        int lessons,
        List<Pass> passes,
        Timings timings,
        OptionalDouble imagesPerSecond,
        List<Double> spread,
        OptionalDouble groundTruth) {
    StepMetrics {
        passes = List.copyOf(passes);
        spread = List.copyOf(spread);
    }

    /** @param std population standard deviation over all scored images of the step */
    record Reward(OptionalDouble mean, OptionalDouble std) {}

    record Groups(int kept, int dropped, int abandoned) {
        static final Groups NONE = new Groups(0, 0, 0);

        Groups plus(Groups other) {
            return new Groups(kept + other.kept, dropped + other.dropped, abandoned + other.abandoned);
        }
    }

    /**
     * @param issued slots of the step's groups
     * @param counted scored slots of kept groups
     * @param dropped scored slots of dropped groups
     * @param unscored slots without a score, in groups that were drawn
     * @param abandoned scored slots of abandoned groups, and all slots of groups that could not be drawn
     */
    record Images(long issued, long counted, long dropped, long unscored, long abandoned) {
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

    /** A loss or norm that is not finite is absent. */
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
    record Timings(double drawing, double scoring, double waiting, double learning, double sinceLastCommit) {
        static Timings of(StepTimings timings) {
            return new Timings(
                    seconds(timings.drawing()),
                    seconds(timings.scoring()),
                    seconds(timings.waiting()),
                    seconds(timings.learning()),
                    seconds(timings.sinceLastCommit()));
        }
    }

    /** @param groundTruth mean over the images of the step whose target is known */
    static StepMetrics of(RunEvent.StepCommitted committed, OptionalDouble groundTruth) {
        List<GroupStatistics> groups = committed.statistics().groups();
        Groups fates = Groups.NONE;
        for (GroupStatistics group : groups) {
            fates = fates.plus(
                    switch (group.verdict()) {
                        case Verdict.Kept _ -> new Groups(1, 0, 0);
                        case Verdict.Dropped _ -> new Groups(0, 1, 0);
                        case Verdict.Abandoned _ -> new Groups(0, 0, 1);
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
                committed.lessons(),
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
                .filter(group -> group.verdict() instanceof Verdict.Kept)
                .flatMap(group -> group.standings().stream())
                .flatMap(Optional::stream)
                .filter(standing -> standing.advantage() == 0)
                .count());
    }

    static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
