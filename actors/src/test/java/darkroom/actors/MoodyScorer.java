package darkroom.actors;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** A scorer that never says the same twice, and remembers what it was asked. */
final class MoodyScorer implements Device<ScoreUnit, ScoreOutcome> {
    final Map<ImageAddress, Integer> asked = new HashMap<>();
    private final Function<ImageAddress, ScoreOutcome> mood;
    private final Executor executor;

    private MoodyScorer(Function<ImageAddress, ScoreOutcome> mood, Executor executor) {
        this.mood = mood;
        this.executor = executor;
    }

    /** @param chance what it says; one image in ten gets no score */
    static MoodyScorer of(SplittableRandom chance, Executor executor) {
        return new MoodyScorer(
                _ -> chance.nextInt(10) == 0
                        ? new ScoreOutcome.Unscored("no mood", 1)
                        : new ScoreOutcome.Scored(chance.nextDouble(), 1, 1, "moody"),
                executor);
    }

    /** Says what it is told to say. */
    static MoodyScorer saying(Function<ImageAddress, ScoreOutcome> answers, Executor executor) {
        return new MoodyScorer(answers, executor);
    }

    @Override
    public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
        asked.merge(unit.address(), 1, Integer::sum);
        return CompletableFuture.supplyAsync(() -> mood.apply(unit.address()), executor);
    }

    @Override
    public void close() {}
}
