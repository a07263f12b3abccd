package darkroom.actors.events;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Counts the fates of the images of a step. Every slot has one fate (promise P-2): issued = counted + dropped + unscored +
 * abandoned.
 *
 * @param issued slots of the step's groups
 * @param counted scored slots of kept groups: the training samples
 * @param dropped scored slots of groups without a training signal
 * @param unscored slots without a score, in generated groups of any decision
 * @param abandoned scored slots of groups with too few scores, and all slots of groups that could not be generated
 */
public record StepTally(int issued, int counted, int dropped, int unscored, int abandoned) {

    /**
     * Counts the slots and verifies the law.
     *
     * @throws IllegalStateException if a slot has no fate or two: the run must not continue
     */
    public static StepTally of(List<RolloutUnit> issued, List<GroupOutcome> endings, StepStatistics statistics) {
        Set<Integer> seen = new HashSet<>();
        int slots = issued.stream().mapToInt(RolloutUnit::slots).sum();
        int counted = 0;
        int dropped = 0;
        int unscored = 0;
        int abandoned = 0;
        for (int i = 0; i < endings.size(); i++) {
            GroupOutcome ending = endings.get(i);
            GroupStatistics group = statistics.groups().get(i);
            require(seen.add(ending.rollout().group()), "%s ended twice", ending.rollout());
            require(issued.contains(ending.rollout()), "%s was never issued", ending.rollout());
            require(group.group() == ending.rollout().group(), "%s was compared as another group", ending.rollout());
            switch (ending) {
                case GroupOutcome.Lost lost -> abandoned += lost.rollout().slots();
                case GroupOutcome.Finished ended -> {
                    RolloutUnit rollout = ended.rollout();
                    List<ScoreOutcome> outcomes = ended.outcomes();
                    require(outcomes.size() == rollout.slots(), "%s has not one outcome per slot", rollout);
                    int scored = (int) outcomes.stream()
                            .filter(ScoreOutcome.Scored.class::isInstance)
                            .count();
                    unscored += rollout.slots() - scored;
                    switch (group.decision()) {
                        case FilterDecision.Kept _ -> counted += scored;
                        case FilterDecision.Dropped _ -> dropped += scored;
                        case FilterDecision.Abandoned _ -> abandoned += scored;
                    }
                }
            }
        }
        require(seen.size() == issued.size(), "a group did not end; the first issued is %s", issued.getFirst());
        StepTally tally = new StepTally(slots, counted, dropped, unscored, abandoned);
        require(
                slots == counted + dropped + unscored + abandoned,
                tally + " does not add up; first group %s",
                issued.getFirst());
        return tally;
    }

    private static void require(boolean holds, String message, RolloutUnit rollout) {
        if (!holds) {
            throw new IllegalStateException("promise P-2 is broken: " + message.replace("%s", rollout.name()));
        }
    }
}
