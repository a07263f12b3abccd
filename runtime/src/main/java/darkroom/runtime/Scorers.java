package darkroom.runtime;

import darkroom.actors.DeviceSeat;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreUnit;
import darkroom.actors.TensorStore;
import darkroom.config.ScoringSettings;
import darkroom.edittasks.RgbImage;
import darkroom.gpuworkers.JudgeNetwork;
import darkroom.rewardactors.JudgeEndpoint;
import darkroom.rewardactors.JudgeModel;
import darkroom.rewardactors.Rewards;
import darkroom.rewardactors.Scorer;
import darkroom.rewardactors.ScorerAccess;
import darkroom.rewardactors.ScorerDevice;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The scorers of a process: the endpoints that are configured, or the embedded judge behind one on loopback. */
final class Scorers implements AutoCloseable {
    private final ScoringSettings settings;
    private final List<URI> endpoints;
    private final @Nullable JudgeEndpoint embedded;
    private final @Nullable JudgeNetwork network;

    private Scorers(
            ScoringSettings settings,
            List<URI> endpoints,
            @Nullable JudgeEndpoint embedded,
            @Nullable JudgeNetwork network) {
        this.settings = settings;
        this.endpoints = endpoints;
        this.embedded = embedded;
        this.network = network;
    }

    /** @throws IOException if the embedded judge cannot be read or no port of loopback is free */
    static Scorers open(ScoringSettings settings) throws IOException {
        return open(settings, NodeFaults.NONE);
    }

    /** @param faults what may happen to answers */
    static Scorers open(ScoringSettings settings, NodeFaults faults) throws IOException {
        if (!settings.endpoints().isEmpty()) {
            return new Scorers(settings, faults.scorers(settings.endpoints()), null, null);
        }
        JudgeNetwork network = JudgeNetwork.shipped(settings.judge());
        JudgeEndpoint endpoint = new JudgeEndpoint(new Judge(network), "darkroom-" + settings.judge(), 0);
        return new Scorers(settings, faults.scorers(List.of(endpoint.url())), endpoint, network);
    }

    /** Other nodes ask the scorers. */
    static Scorers elsewhere(ScoringSettings settings) {
        return new Scorers(settings, List.of(), null, null);
    }

    /** One seat: all endpoints answer the same questions. None where there is no endpoint. */
    List<DeviceSeat<ScoreUnit, ScoreOutcome>> seats(TensorStore store) {
        if (endpoints.isEmpty()) {
            return List.of();
        }
        scorer().close(); // says now what is wrong with a URL, a template or a secret
        return List.of(new DeviceSeat<>("reward-0", () -> new ScorerDevice(scorer(), store)));
    }

    /** @throws CommandFailedException if what the settings or the environment say cannot be used */
    Scorer scorer() {
        try {
            return Rewards.open(endpoints, settings, environment());
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(String.valueOf(e.getMessage()), ExitCode.USAGE);
        } catch (IOException e) {
            throw new CommandFailedException("scoring.cache=%s cannot be used: %s".formatted(settings.cache(), e), e);
        }
    }

    /** The embedded judge is told no secret that is meant for the first reward's servers. */
    private Map<String, String> environment() {
        if (embedded == null) {
            return System.getenv();
        }
        Map<String, String> others = new TreeMap<>(System.getenv());
        others.keySet().removeAll(ScorerAccess.VARIABLES);
        return others;
    }

    /** Who scores, for people. */
    String describe() {
        String first = embedded == null
                ? "%s at %s".formatted(settings.method().name().toLowerCase(Locale.ROOT), endpoints)
                : "the embedded judge \"%s\"".formatted(settings.judge());
        return settings.rewards().stream()
                .map(reward ->
                        " and %s (weight %s) at %s".formatted(reward.name(), reward.weight(), reward.endpoints()))
                .collect(Collectors.joining("", first, ""));
    }

    @Override
    public void close() {
        if (embedded != null) {
            embedded.close();
        }
        if (network != null) {
            network.close();
        }
    }

    /** Joins the judge of gpu-workers and the endpoint of reward-actors, neither of which knows the other. */
    private record Judge(JudgeNetwork network) implements JudgeModel {
        @Override
        public int batchMax() {
            return JudgeNetwork.BATCH;
        }

        @Override
        public List<float[]> judge(List<Question> questions) {
            return network.logits(questions.stream()
                    .map(question -> new JudgeNetwork.Question(
                            RgbImage.from(question.source()),
                            RgbImage.from(question.edited()),
                            question.reference() == null ? null : RgbImage.from(question.reference()),
                            question.instruction()))
                    .toList());
        }
    }
}
