package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.rewardactors.protocol.ScoreRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * Combines several rewards of one edit: the weighted mean of their scores, added in their order. If one of them does not
 * score an edit, the edit has no score: a missing score is not replaced (promise P-3).
 */
final class CombinedScorer implements Scorer {
    private final List<Part> parts;
    private final double weights;

    /** @param name used in reports and with each score */
    record Part(String name, double weight, Scorer scorer) {}

    /** @param parts at least one; closed together with this */
    CombinedScorer(List<Part> parts) {
        this.parts = List.copyOf(parts);
        this.weights = parts.stream().mapToDouble(Part::weight).sum();
    }

    @Override
    public CompletionStage<ScoreOutcome> score(ScoreRequest request) {
        List<CompletableFuture<ScoreOutcome>> asked = parts.stream()
                .map(part -> part.scorer().score(request).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                .thenApply(_ ->
                        combined(asked.stream().map(CompletableFuture::join).toList()));
    }

    private ScoreOutcome combined(List<ScoreOutcome> outcomes) {
        int attempts = outcomes.stream().mapToInt(ScoreOutcome::attempts).sum();
        double sum = 0;
        double mass = 1;
        List<String> told = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            switch (outcomes.get(i)) {
                case Unscored(String reason, int _) -> {
                    return new Unscored(named(reason, part.name()), attempts);
                }
                case Scored scored -> {
                    sum += part.weight() * scored.score();
                    mass = Math.min(mass, scored.labelMass());
                    told.add(String.format(Locale.ROOT, "%s %s (%s)", part.name(), scored.score(), scored.scorer()));
                }
            }
        }
        return new Scored(Math.clamp(sum / weights, 0, 1), mass, attempts, String.join(" + ", told));
    }

    /** Adds the name of the reward; {@code code: detail} stays the form of a reason. */
    private static String named(String reason, String part) {
        int colon = reason.indexOf(": ");
        return colon < 0
                ? reason + ": reward " + part
                : reason.substring(0, colon) + ": reward " + part + ": " + reason.substring(colon + 2);
    }

    @Override
    public int concurrency() {
        return parts.stream()
                .mapToInt(part -> part.scorer().concurrency())
                .min()
                .orElseThrow();
    }

    @Override
    public String name() {
        return parts.stream()
                .map(part -> part.name() + " at " + part.scorer().name())
                .collect(Collectors.joining(", "));
    }

    @Override
    public List<String> describe() {
        return parts.stream()
                .flatMap(part -> part.scorer().describe().stream().map(line -> part.name() + " " + line))
                .toList();
    }

    @Override
    public CompletionStage<List<ScorerNoise>> noise(int times) {
        CompletionStage<List<ScorerNoise>> all = CompletableFuture.completedFuture(List.of());
        for (Part part : parts) {
            all = all.thenCombine(part.scorer().noise(times), (before, these) -> {
                List<ScorerNoise> both = new ArrayList<>(before);
                both.addAll(these);
                return both;
            });
        }
        return all;
    }

    @Override
    public void close() {
        parts.forEach(part -> part.scorer().close());
    }
}
