package darkroom.rewardactors.client;

import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Creates the scorer that settings describe: one reward or several, each with its cache if it has one. */
public final class Rewards {
    private Rewards() {}

    /**
     * Opens the scorer of all rewards.
     *
     * @param endpoints of the first reward: those of the settings, or their replacement
     * @param environment source of secrets; each reward has its own
     * @throws IllegalArgumentException if a question cannot be asked or a secret is invalid; says which and why
     * @throws IOException if {@code scoring.cache} cannot be used
     */
    public static Scorer open(List<URI> endpoints, ScoringSettings settings, Map<String, String> environment)
            throws IOException {
        List<CombinedScorer.Part> parts = new ArrayList<>();
        try {
            parts.add(part(ScoringSettings.FIRST, endpoints, settings, ScorerAccess.in(environment)));
            for (ScoringSettings.Reward reward : settings.rewards()) {
                parts.add(part(reward, settings, environment));
            }
        } catch (IllegalArgumentException | IOException e) {
            parts.forEach(part -> part.scorer().close());
            throw e;
        }
        return parts.size() == 1 ? parts.getFirst().scorer() : new CombinedScorer(parts);
    }

    /** Returns the templates, labels and answers that do not fit their method; one line each. */
    public static List<String> faults(ScoringSettings settings) {
        List<String> faults = new ArrayList<>();
        fault(settings).ifPresent(faults::add);
        for (ScoringSettings.Reward reward : settings.rewards()) {
            fault(settings.asking(reward)).ifPresent(fault -> faults.add("reward " + reward.name() + ": " + fault));
        }
        return faults;
    }

    private static Optional<String> fault(ScoringSettings asked) {
        try {
            var _ = ScoringMethod.of(asked);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(ErrorReason.of(e));
        }
    }

    /** Opens the scorer of a further reward alone; throws as {@link #open(List, ScoringSettings, Map)}. */
    public static Scorer open(ScoringSettings.Reward reward, ScoringSettings settings, Map<String, String> environment)
            throws IOException {
        return part(reward, settings, environment).scorer();
    }

    private static CombinedScorer.Part part(
            ScoringSettings.Reward reward, ScoringSettings settings, Map<String, String> environment)
            throws IOException {
        ScorerAccess access = ScorerAccess.ofReward(reward.name(), environment);
        return part(reward.name(), reward.endpoints(), settings.asking(reward), access);
    }

    private static CombinedScorer.Part part(
            String name, List<URI> endpoints, ScoringSettings settings, ScorerAccess access) throws IOException {
        ScoreCache cache =
                settings.cache().isEmpty() ? null : ScoreCache.in(Path.of(settings.cache()), settings.cacheMax());
        ScorerClient client = new ScorerClient(endpoints, settings, access);
        Scorer scorer = cache == null ? client : new CachedScorer(client, endpoints, settings, cache);
        return new CombinedScorer.Part(name, settings.weight(), scorer);
    }
}
