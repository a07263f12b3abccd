package darkroom.actors;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What became of the images of a step. Every slot has one fate (promise P-2): issued = counted + dropped + unscored +
 * abandoned.
 *
 * @param issued slots of the step's groups
 * @param counted scored slots of kept groups: the lessons
 * @param dropped scored slots of groups that teach nothing
 * @param unscored slots without a score, in groups of any verdict that were drawn
 * @param abandoned scored slots of groups with too few scores, and all slots of groups that could not be drawn
 */
public record StepTally(int issued, int counted, int dropped, int unscored, int abandoned) {

    /**
     * Counts, and proves the law.
     *
     * @throws IllegalStateException if a slot has no fate or two: the run must not go on
     */
    static StepTally of(List<DrawUnit> issued, List<GroupKeeper.Ending> endings, StepStatistics statistics) {
        Set<Integer> seen = new HashSet<>();
        int slots = issued.stream().mapToInt(DrawUnit::slots).sum();
        int counted = 0;
        int dropped = 0;
        int unscored = 0;
        int abandoned = 0;
        for (int i = 0; i < endings.size(); i++) {
            GroupKeeper.Ending ending = endings.get(i);
            GroupStatistics group = statistics.groups().get(i);
            require(seen.add(ending.draw().group()), "%s ended twice", ending.draw());
            require(issued.contains(ending.draw()), "%s was never issued", ending.draw());
            require(group.group() == ending.draw().group(), "%s was compared as another group", ending.draw());
            switch (ending) {
                case GroupKeeper.GroupLost lost -> abandoned += lost.draw().slots();
                case GroupKeeper.GroupEnded ended -> {
                    DrawUnit draw = ended.draw();
                    List<ScoreOutcome> outcomes = ended.outcomes();
                    require(outcomes.size() == draw.slots(), "%s has not one outcome a slot", draw);
                    int scored = (int) outcomes.stream()
                            .filter(ScoreOutcome.Scored.class::isInstance)
                            .count();
                    unscored += draw.slots() - scored;
                    switch (group.verdict()) {
                        case Verdict.Kept _ -> counted += scored;
                        case Verdict.Dropped _ -> dropped += scored;
                        case Verdict.Abandoned _ -> abandoned += scored;
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

    private static void require(boolean holds, String message, DrawUnit draw) {
        if (!holds) {
            throw new IllegalStateException("promise P-2 is broken: " + message.replace("%s", draw.name()));
        }
    }
}
