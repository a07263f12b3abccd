package darkroom.runtime;

import darkroom.actors.GroupStatistics;
import darkroom.actors.RunEvent;
import darkroom.actors.StopWhen;
import darkroom.rewardactors.ReasonTally;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a run whose scorers give every image of a group one and the same score, for {@code scoring.flat-groups-max} scored groups in a
 * row: there is nothing to learn from them. Counted over committed groups in the order of steps and groups, and from recorded scores
 * where a run is resumed, so that it ends at the same step for any workers.
 */
final class FlatGroups implements StopWhen {
    /** Standard deviations up to this are rounding of equal scores. */
    static final double SPREAD_MAX = 1e-9;

    private static final Logger LOG = LoggerFactory.getLogger(FlatGroups.class);

    private final int warnAfter;
    private final int stopAfter;
    private final Supplier<String> scorers;
    private int flat;

    /**
     * @param warnAfter flat groups in a row after which the log warns; 0 for never
     * @param stopAfter flat groups in a row after which the run ends; 0 for never
     * @param flat such groups at the end of what is recorded
     * @param scorers who scores, for people
     */
    FlatGroups(int warnAfter, int stopAfter, int flat, Supplier<String> scorers) {
        this.warnAfter = warnAfter;
        this.stopAfter = stopAfter;
        this.flat = flat;
        this.scorers = scorers;
    }

    /** Flat groups at the end of the verdicts of a run, of which those of later steps have been cut. */
    static int recorded(Path verdicts) {
        int[] flat = new int[1];
        JsonLines.forEach(verdicts, GroupVerdict.class, group -> {
            int scored = (int)
                    group.rewards().stream().filter(OptionalDouble::isPresent).count();
            flat[0] = after(flat[0], scored, group.std());
        });
        return flat[0];
    }

    /** A group with fewer than two scores has no spread: it neither counts nor interrupts. */
    private static int after(int flat, int scored, OptionalDouble std) {
        return scored < 2 || std.isEmpty() ? flat : std.getAsDouble() <= SPREAD_MAX ? flat + 1 : 0;
    }

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        for (GroupStatistics group : committed.statistics().groups()) {
            int before = flat;
            flat = after(flat, group.scored(), group.std());
            if (flat > before && flat == warnAfter) {
                LOG.warn(
                        "step {}: {} scored groups in a row have spread 0, all images of each have the same score, by"
                                + " {}: {}.{}",
                        committed.step(),
                        flat,
                        scorers.get(),
                        ReasonTally.FLAT_CAUSE,
                        stopAfter == 0 ? "" : " The run stops after " + stopAfter + ", scoring.flat-groups-max");
            }
        }
        return stopAfter == 0 || flat < stopAfter
                ? Optional.empty()
                : Optional.of(
                        "the last %d scored groups have spread 0, scoring.flat-groups-max=%d: all images of each have the same score, by %s. %s. Replace or repair the scorer, then resume; 0 never stops"
                                .formatted(flat, stopAfter, scorers.get(), capital(ReasonTally.FLAT_CAUSE)));
    }

    private static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }
}
