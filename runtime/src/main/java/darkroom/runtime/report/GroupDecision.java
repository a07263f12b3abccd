package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.LedgerEvent.Fate;
import darkroom.actors.statistics.GroupStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code decisions.jsonl}: a group of a committed step, with its filter decision and the reason.
 *
 * @param row identity of the dataset row
 * @param mean mean reward; absent if nothing is scored
 * @param std standard deviation of the rewards within the group; absent if nothing is scored
 * @param rewards one entry per slot; {@code null} in the file where a score is missing
 * @param unscored the slots without a score, with reasons
 * @param lost reason why the group could not be generated; {@code null} otherwise
 */
record GroupDecision(
        int step,
        int group,
        String row,
        String taskType,
        String instruction,
        Fate decision,
        String reason,
        OptionalDouble mean,
        OptionalDouble std,
        List<OptionalDouble> rewards,
        List<Unscored> unscored,
        @Nullable String lost) {
    GroupDecision {
        rewards = List.copyOf(rewards);
        unscored = List.copyOf(unscored);
    }

    /**
     * A slot without a score.
     *
     * @param attempts requests sent for the image
     */
    record Unscored(int slot, String reason, int attempts) {}

    static GroupDecision of(RunEvent.GroupCompared compared) {
        GroupStatistics statistics = compared.statistics();
        Prompt prompt = compared.ending().rollout().prompt();
        List<OptionalDouble> rewards = new ArrayList<>();
        List<Unscored> unscored = new ArrayList<>();
        String lost = null;
        switch (compared.ending()) {
            case GroupOutcome.Lost gone -> {
                lost = gone.fault().message();
                for (int slot = 0; slot < gone.rollout().slots(); slot++) {
                    rewards.add(OptionalDouble.empty());
                }
            }
            case GroupOutcome.Finished ended -> {
                for (ScoreOutcome outcome : ended.outcomes()) {
                    switch (outcome) {
                        case ScoreOutcome.Scored scored -> rewards.add(OptionalDouble.of(scored.score()));
                        case ScoreOutcome.Unscored none -> {
                            unscored.add(new Unscored(rewards.size(), none.reason(), none.attempts()));
                            rewards.add(OptionalDouble.empty());
                        }
                    }
                }
            }
        }
        return new GroupDecision(
                compared.step(),
                statistics.group(),
                prompt.row(),
                prompt.taskType(),
                prompt.instruction(),
                Fate.of(statistics.decision()),
                statistics.decision().reason(),
                statistics.mean(),
                statistics.std(),
                rewards,
                unscored,
                lost);
    }
}
