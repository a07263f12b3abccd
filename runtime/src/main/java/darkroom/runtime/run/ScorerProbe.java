package darkroom.runtime.run;

import darkroom.actors.device.ScoreOutcome;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.config.ScoringSettings;
import darkroom.config.WorkerSettings;
import darkroom.rewardactors.client.ReasonTally;
import darkroom.rewardactors.client.Rewards;
import darkroom.rewardactors.client.Scorer;
import darkroom.rewardactors.client.ScorerExamples;
import darkroom.rewardactors.client.ScoringAdvice;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Asks each external scorer of a run about two edits before anything is written: one that follows the instruction, and
 * noise. A fault that no retry removes ends the command; a fault that may pass is a warning, since a scorer may still
 * be starting. Equal scores of the two edits are a warning too.
 */
public final class ScorerProbe {
    private ScorerProbe() {}

    /** Answers of one endpoint. */
    private record Answers(String reward, URI endpoint, ScoreOutcome good, ScoreOutcome noise) {}

    /**
     * Asks all external scorers.
     *
     * @param environment environment variables with secrets
     * @return warnings: scorers that do not answer now, and scorers that give two very different edits the same score
     * @throws CommandFailedException if a scorer refuses, or its answer cannot be a score
     */
    public static List<String> require(RunSettings settings, Map<String, String> environment) {
        if (settings.workers().device() == WorkerSettings.Kind.VIRTUAL) {
            return List.of();
        }
        List<CompletableFuture<Answers>> asked = new ArrayList<>();
        ScoringSettings first = settings.scoring();
        first.endpoints()
                .forEach(endpoint -> asked.add(ask(
                        ScoringSettings.FIRST,
                        endpoint,
                        () -> Rewards.open(List.of(endpoint), first.probing(), environment))));
        for (ScoringSettings.Reward reward : first.rewards()) {
            for (URI endpoint : reward.endpoints()) {
                asked.add(ask(
                        reward.name(),
                        endpoint,
                        () -> Rewards.open(reward.at(endpoint), first.probing(), environment)));
            }
        }
        Set<String> refusals = new LinkedHashSet<>();
        Set<String> warnings = new LinkedHashSet<>();
        for (CompletableFuture<Answers> each : asked) {
            judge(each.join(), refusals, warnings);
        }
        if (!refusals.isEmpty()) {
            throw new CommandFailedException(String.join("\n", refusals), ExitCode.USAGE);
        }
        return List.copyOf(warnings);
    }

    @FunctionalInterface
    private interface Opener {
        Scorer open() throws IOException;
    }

    private static CompletableFuture<Answers> ask(String reward, URI endpoint, Opener opener) {
        Scorer scorer;
        try {
            scorer = opener.open();
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        } catch (IOException e) {
            throw new CommandFailedException("a scorer cannot be opened: " + ErrorReason.of(e), e);
        }
        CompletableFuture<ScoreOutcome> good = score(scorer, ScorerExamples.good());
        CompletableFuture<ScoreOutcome> noise = score(scorer, ScorerExamples.noise());
        return good.thenCombine(noise, (a, b) -> new Answers(reward, endpoint, a, b))
                .whenComplete((_, _) -> scorer.close());
    }

    private static CompletableFuture<ScoreOutcome> score(Scorer scorer, ScoreRequest request) {
        return scorer.score(request).toCompletableFuture();
    }

    /** Adds the reasons not to begin the run, and the warnings before it begins. */
    private static void judge(Answers answers, Set<String> refusals, Set<String> warnings) {
        String who = answers.reward().equals(ScoringSettings.FIRST)
                ? "scorer " + answers.endpoint()
                : "scorer %s of reward %s".formatted(answers.endpoint(), answers.reward());
        switch (answers.good()) {
            case ScoreOutcome.Scored good -> {
                if (answers.noise() instanceof ScoreOutcome.Scored noise && noise.score() == good.score()) {
                    warnings.add("%s (%s) gives the same score %s to two very different edits: %s"
                            .formatted(who, good.scorer(), good.score(), ReasonTally.FLAT_CAUSE));
                }
            }
            case ScoreOutcome.Unscored(String reason, int _) -> {
                String advice = ScoringAdvice.of(reason);
                boolean both = answers.noise() instanceof ScoreOutcome.Unscored(String other, int _)
                        && ScoringAdvice.code(other).equals(ScoringAdvice.code(reason));
                if (ScoringAdvice.isLasting(reason) && both) {
                    refusals.add(
                            "%s cannot score: %s%s".formatted(who, reason, advice.isEmpty() ? "" : "\n  " + advice));
                } else {
                    warnings.add("%s does not score now: %s. The run begins and asks again. %s"
                            .formatted(who, reason, advice)
                            .strip());
                }
            }
        }
    }
}
