package darkroom.rewardactors.client;

import darkroom.actors.run.SimulatedWorld;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;

/** A scorer in virtual time, which answers as its test says. */
final class ScriptedScorer implements ScorerPort {
    /** The bound of an exchange, as {@code scoring.timeout} is. */
    static final Duration TIMEOUT = Duration.ofSeconds(30);

    static final PngImage PICTURE = PngImage.ofPixels(1, 1, new byte[] {1, 2, 3});
    static final ScoreRequest REQUEST = new ScoreRequest("it", PICTURE, PICTURE, null, "make it blue", "");

    private final SimulatedWorld world;
    private final String name;
    private IntFunction<Answer> script = _ -> Answer.scored(Duration.ofMillis(20));
    private Lookup lookup = new Lookup.Found(ServerProfile.plain("scripted", false));
    private final List<Duration> asked = new ArrayList<>();
    private int lookups;
    private int open;
    private int openMost;
    private int givenUp;

    /** The answer to a request, and its delay. */
    sealed interface Answer {
        record Later(Duration after, ScorerAttempt attempt) implements Answer {}

        /** The actor that asks dies of it. */
        record Fatal() implements Answer {}

        static Answer scored(Duration after) {
            return new Later(after, new ScorerAttempt.Succeeded(new LabelScore.Believed(.5, 1), "scripted"));
        }

        static Answer failed(Duration after, String code) {
            return new Later(after, new ScorerAttempt.Failed(ScorerFault.passing(code, "scripted")));
        }

        static Answer refused(Duration after) {
            return new Later(after, new ScorerAttempt.Failed(ScorerFault.permanent("http-400", "scripted")));
        }

        /** Nothing until the exchange times out. */
        static Answer none() {
            return failed(TIMEOUT, "timeout");
        }
    }

    ScriptedScorer(SimulatedWorld world, String name) {
        this.world = world;
        this.name = name;
    }

    /** @param answers by the number of the request at this scorer, from 0 */
    ScriptedScorer answering(IntFunction<Answer> answers) {
        script = answers;
        return this;
    }

    ScriptedScorer lookedUpAs(Lookup result) {
        lookup = result;
        return this;
    }

    /** Times at which it was asked. */
    List<Duration> asked() {
        return asked;
    }

    int lookups() {
        return lookups;
    }

    /** Number of requests that are neither answered nor given up. */
    int open() {
        return open;
    }

    int openMost() {
        return openMost;
    }

    int givenUp() {
        return givenUp;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public CompletionStage<Lookup> lookUp() {
        lookups++;
        CompletableFuture<Lookup> found = new CompletableFuture<>();
        world.after(Duration.ofMillis(10), () -> found.complete(lookup));
        return found;
    }

    @Override
    public CompletionStage<ScorerAttempt> ask(ScorerCall call, ServerProfile profile, AbortSignal abort) {
        Answer answer = script.apply(asked.size());
        asked.add(world.now());
        call.countSent();
        return switch (answer) {
            case Answer.Fatal() -> throw new AssertionError("an actor dies, on purpose");
            case Answer.Later(Duration after, ScorerAttempt attempt) -> {
                CompletableFuture<ScorerAttempt> ended = new CompletableFuture<>();
                open++;
                openMost = Math.max(openMost, open);
                var _ = ended.whenComplete((_, _) -> open--);
                world.after(after, () -> ended.complete(attempt));
                var _ = abort.whenRaised(() -> {
                    givenUp++;
                    ended.complete(new ScorerAttempt.Failed(ScorerFault.passing("timeout", "given up")));
                });
                yield ended;
            }
        };
    }
}
