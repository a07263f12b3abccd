package darkroom.actors.device;

import darkroom.actors.statistics.GroupRewards;
import darkroom.tensors.TensorRef;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** The outcome of one image group: all its images with their score outcomes, or why it was abandoned. */
public sealed interface GroupOutcome {
    RolloutUnit rollout();

    /**
     * All images are generated, and each is scored or known to be unscored.
     *
     * @param outcomes in slot order
     * @param generatedAt time at which the images were available
     */
    record Finished(RolloutUnit rollout, RolloutResult generated, List<ScoreOutcome> outcomes, Instant generatedAt)
            implements GroupOutcome {
        public Finished {
            outcomes = List.copyOf(outcomes);
        }
    }

    /** The group could not be generated. */
    record Lost(RolloutUnit rollout, Fault fault) implements GroupOutcome {}

    /** Releases the tensors of the group's images. */
    default void release(Consumer<TensorRef> release) {
        switch (this) {
            case Finished finished -> finished.generated().tensors().forEach(release);
            case Lost _ -> {}
        }
    }

    /** Returns the rewards of the group in slot order; a lost group has no reward in any slot. */
    default GroupRewards rewards() {
        List<OptionalDouble> rewards =
                switch (this) {
                    case Finished finished ->
                        finished.outcomes().stream().map(GroupOutcome::reward).toList();
                    case Lost _ ->
                        IntStream.range(0, rollout().slots())
                                .mapToObj(_ -> OptionalDouble.empty())
                                .toList();
                };
        return new GroupRewards(rollout().group(), rollout().prompt().row(), rewards);
    }

    private static OptionalDouble reward(ScoreOutcome outcome) {
        return switch (outcome) {
            case ScoreOutcome.Scored scored -> OptionalDouble.of(scored.score());
            case ScoreOutcome.Unscored _ -> OptionalDouble.empty();
        };
    }
}
