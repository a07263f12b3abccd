package darkroom.runtime.report;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.rewardactors.client.ReasonTally;
import darkroom.runtime.base.JsonLines;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a run whose scorers give all images of a group the same score, for {@code scoring.flat-groups-max} scored groups
 * in a row: such groups teach nothing. Counts committed groups in the order of steps and groups, and reads recorded
 * scores when a run is resumed, so that the run ends at the same step for any workers.
 */
public final class FlatGroups implements StopWhen {
    /** Standard deviations up to this value are rounding of equal scores. */
    static final double SPREAD_MAX = 1e-9;

    private static final Logger LOG = LoggerFactory.getLogger(FlatGroups.class);

    private final int warnAfter;
    private final int stopAfter;
    private final Supplier<String> scorers;
    private int flat;

    /**
     * Creates the rule.
     *
     * @param warnAfter number of flat groups in a row after which the log warns; 0 for never
     * @param stopAfter number of flat groups in a row after which the run ends; 0 for never
     * @param flat number of flat groups at the end of the record
     * @param scorers description of the scorers, for people
     */
    public FlatGroups(int warnAfter, int stopAfter, int flat, Supplier<String> scorers) {
        this.warnAfter = warnAfter;
        this.stopAfter = stopAfter;
        this.flat = flat;
        this.scorers = scorers;
    }

    /** Returns the number of flat groups at the end of a run's decisions, which no longer contain later steps. */
    public static int recorded(Path decisions) {
        int[] flat = new int[1];
        JsonLines.forEach(decisions, GroupDecision.class, group -> {
            int scored = (int)
                    group.rewards().stream().filter(OptionalDouble::isPresent).count();
            flat[0] = after(flat[0], scored, group.std());
        });
        return flat[0];
    }

    /**
     * Returns the count after one more group. A group with fewer than two scores has no spread: it neither counts nor
     * interrupts.
     */
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
