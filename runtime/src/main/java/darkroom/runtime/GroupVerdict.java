package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.actors.GroupStatistics;
import darkroom.actors.LedgerEvent.Fate;
import darkroom.actors.Prompt;
import darkroom.actors.RunEvent;
import darkroom.actors.ScoreOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code verdicts.jsonl}: a group of a committed step, with its verdict and why.
 *
 * @param row identity of the dataset row
 * @param mean mean reward; absent if nothing is scored
 * @param std standard deviation of the rewards within the group; absent if nothing is scored
 * @param rewards one entry a slot; {@code null} in the file where there is no score
 * @param unscored the slots without a score, and why
 * @param lost why the group could not be drawn; {@code null} where it was
 */
record GroupVerdict(
        int step,
        int group,
        String row,
        String taskType,
        String instruction,
        Fate verdict,
        String reason,
        OptionalDouble mean,
        OptionalDouble std,
        List<OptionalDouble> rewards,
        List<Unscored> unscored,
        @Nullable String lost) {
    GroupVerdict {
        rewards = List.copyOf(rewards);
        unscored = List.copyOf(unscored);
    }

    /** @param attempts requests sent for the image */
    record Unscored(int slot, String reason, int attempts) {}

    static GroupVerdict of(RunEvent.GroupCompared compared) {
        GroupStatistics statistics = compared.statistics();
        Prompt prompt = compared.ending().draw().prompt();
        List<OptionalDouble> rewards = new ArrayList<>();
        List<Unscored> unscored = new ArrayList<>();
        String lost = null;
        switch (compared.ending()) {
            case GroupKeeper.GroupLost gone -> {
                lost = gone.fault().message();
                for (int slot = 0; slot < gone.draw().slots(); slot++) {
                    rewards.add(OptionalDouble.empty());
                }
            }
            case GroupKeeper.GroupEnded ended -> {
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
        return new GroupVerdict(
                compared.step(),
                statistics.group(),
                prompt.row(),
                prompt.taskType(),
                prompt.instruction(),
                Fate.of(statistics.verdict()),
                statistics.verdict().reason(),
                statistics.mean(),
                statistics.std(),
                rewards,
                unscored,
                lost);
    }
}
