package darkroom.actors.run;

import darkroom.actors.device.Device;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** A scorer that never gives the same answer twice, and remembers its requests. */
final class ScriptedScorer implements Device<ScoreUnit, ScoreOutcome> {
    final Map<ImageAddress, Integer> asked = new HashMap<>();
    private final Function<ImageAddress, ScoreOutcome> mood;
    private final Executor executor;

    private ScriptedScorer(Function<ImageAddress, ScoreOutcome> mood, Executor executor) {
        this.mood = mood;
        this.executor = executor;
    }

    /**
     * @param chance source of its answers; one image in ten gets no score
     */
    static ScriptedScorer of(SplittableRandom chance, Executor executor) {
        return new ScriptedScorer(
                _ -> chance.nextInt(10) == 0
                        ? new ScoreOutcome.Unscored("no mood", 1)
                        : new ScoreOutcome.Scored(chance.nextDouble(), 1, 1, "moody"),
                executor);
    }

    /** Creates a scorer with given answers. */
    static ScriptedScorer saying(Function<ImageAddress, ScoreOutcome> answers, Executor executor) {
        return new ScriptedScorer(answers, executor);
    }

    @Override
    public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
        asked.merge(unit.address(), 1, Integer::sum);
        return CompletableFuture.supplyAsync(() -> mood.apply(unit.address()), executor);
    }

    @Override
    public void close() {}
}
