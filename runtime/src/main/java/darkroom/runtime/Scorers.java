package darkroom.runtime;

import darkroom.actors.DeviceSeat;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreUnit;
import darkroom.actors.TensorStore;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.edittasks.RgbImage;
import darkroom.gpuworkers.JudgeNetwork;
import darkroom.rewardactors.JudgeEndpoint;
import darkroom.rewardactors.JudgeModel;
import darkroom.rewardactors.Rewards;
import darkroom.rewardactors.Scorer;
import darkroom.rewardactors.ScorerAccess;
import darkroom.rewardactors.ScorerDevice;
import darkroom.rewardactors.ScorerNoise;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The scorers of a process: the endpoints that are configured, or the embedded judge behind one on loopback. */
final class Scorers implements AutoCloseable {
    /** Questions that are asked one after the other, and again all at once, to see how much the answers vary. */
    private static final int NOISE_QUESTIONS = 8;

    private static final Logger LOG = LoggerFactory.getLogger(Scorers.class);

    private final ScoringSettings settings;
    private final Consumer<ScorerNoise> noise;
    private final List<URI> endpoints;
    private final @Nullable JudgeEndpoint embedded;
    private final @Nullable JudgeNetwork network;

    private Scorers(
            ScoringSettings settings,
            Consumer<ScorerNoise> noise,
            List<URI> endpoints,
            @Nullable JudgeEndpoint embedded,
            @Nullable JudgeNetwork network) {
        this.settings = settings;
        this.noise = noise;
        this.endpoints = endpoints;
        this.embedded = embedded;
        this.network = network;
    }

    /**
     * @param settings whose judge's precision is decided
     * @throws IOException if the embedded judge cannot be read or no port of loopback is free
     */
    static Scorers open(ScoringSettings settings) throws IOException {
        return open(settings, NodeFaults.NONE, Scorers::tell);
    }

    /**
     * @param faults what may happen to answers
     * @param noise told how much the answers of each server vary, some time after its seat was taken
     */
    static Scorers open(ScoringSettings settings, NodeFaults faults, Consumer<ScorerNoise> noise) throws IOException {
        if (!settings.endpoints().isEmpty()) {
            return new Scorers(settings, noise, faults.scorers(settings.endpoints()), null, null);
        }
        JudgeNetwork network = JudgeNetwork.shipped(settings.judge(), settings.judgePrecision());
        JudgeEndpoint endpoint = new JudgeEndpoint(new Judge(network), "darkroom-" + settings.judge(), 0);
        return new Scorers(settings, noise, faults.scorers(List.of(endpoint.url())), endpoint, network);
    }

    /** Other nodes ask the scorers. */
    static Scorers elsewhere(ScoringSettings settings) {
        return new Scorers(settings, Scorers::tell, List.of(), null, null);
    }

    /** One seat: all endpoints answer the same questions. None where there is no endpoint. */
    List<DeviceSeat<ScoreUnit, ScoreOutcome>> seats(TensorStore store) {
        if (endpoints.isEmpty()) {
            return List.of();
        }
        scorer(settings).close(); // says now what is wrong with a URL, a template or a secret
        return List.of(new DeviceSeat<>("reward-0", () -> {
            Scorer scorer = scorer(settings);
            if (embedded == null) {
                var _ = scorer.noise(NOISE_QUESTIONS).thenAccept(all -> all.forEach(noise));
            }
            return new ScorerDevice(scorer, store);
        }));
    }

    /** For the log. */
    static void tell(ScorerNoise noise) {
        LOG.info(
                "{} scores one pair {} times with standard deviation {}, range {}",
                noise.scorer(),
                noise.count(),
                noise.std(),
                noise.range());
    }

    /**
     * Asks these endpoints, and those of further rewards.
     *
     * @param asked what is asked: the settings that this was opened with, or others
     * @throws CommandFailedException if what the settings or the environment say cannot be used
     */
    Scorer scorer(ScoringSettings asked) {
        return opened(() -> Rewards.open(endpoints, asked, environment()), asked);
    }

    /** A further reward by itself. @throws CommandFailedException as {@link #scorer} */
    Scorer scorer(ScoringSettings.Reward reward) {
        return opened(() -> Rewards.open(reward, settings, environment()), settings);
    }

    private static Scorer opened(Opener opener, ScoringSettings settings) {
        try {
            return opener.open();
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        } catch (IOException e) {
            throw new CommandFailedException("scoring.cache=%s cannot be used: %s".formatted(settings.cache(), e), e);
        }
    }

    @FunctionalInterface
    private interface Opener {
        Scorer open() throws IOException;
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
                : "the embedded judge \"%s\" in %s"
                        .formatted(settings.judge(), Precisions.label(settings.judgePrecision()));
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
