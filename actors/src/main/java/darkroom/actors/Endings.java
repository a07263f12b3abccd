package darkroom.actors;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** What can be read off the ending of a group. */
final class Endings {
    private Endings() {}

    static void release(GroupKeeper.Ending ending, Consumer<TensorRef> release) {
        switch (ending) {
            case GroupKeeper.GroupEnded ended -> ended.drawn().tensors().forEach(release);
            case GroupKeeper.GroupLost _ -> {}
        }
    }

    /** A group that could not be drawn has no score in any slot. */
    static GroupRewards rewards(GroupKeeper.Ending ending) {
        DrawUnit draw = ending.draw();
        List<OptionalDouble> rewards =
                switch (ending) {
                    case GroupKeeper.GroupEnded ended ->
                        ended.outcomes().stream().map(Endings::reward).toList();
                    case GroupKeeper.GroupLost _ ->
                        IntStream.range(0, draw.slots())
                                .mapToObj(_ -> OptionalDouble.empty())
                                .toList();
                };
        return new GroupRewards(draw.group(), draw.prompt().row(), rewards);
    }

    private static OptionalDouble reward(ScoreOutcome outcome) {
        return switch (outcome) {
            case ScoreOutcome.Scored scored -> OptionalDouble.of(scored.score());
            case ScoreOutcome.Unscored _ -> OptionalDouble.empty();
        };
    }
}
