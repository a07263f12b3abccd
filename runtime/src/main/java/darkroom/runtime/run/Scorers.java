package darkroom.runtime.run;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.JudgeNetwork;
import darkroom.rewardactors.client.Rewards;
import darkroom.rewardactors.client.Scorer;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerDevice;
import darkroom.rewardactors.client.ScorerNoise;
import darkroom.rewardactors.judge.JudgeEndpoint;
import darkroom.rewardactors.judge.JudgeModel;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.faults.NodeFaults;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The scorers of a process: the configured endpoints, or the embedded judge behind an endpoint on loopback. */
public final class Scorers implements AutoCloseable {
    /** Number of questions asked one after the other, and again all at once, to measure how much the answers vary. */
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
     * Opens the scorers.
     *
     * @param settings settings whose judge precision is decided
     * @throws IOException if the embedded judge cannot be read or no port of loopback is free
     */
    public static Scorers open(ScoringSettings settings) throws IOException {
        return open(settings, NodeFaults.NONE, Scorers::tell);
    }

    /**
     * Opens the scorers.
     *
     * @param faults faults that may be injected into answers
     * @param noise receives how much the answers of each server vary, some time after its device slot was taken
     */
    public static Scorers open(ScoringSettings settings, NodeFaults faults, Consumer<ScorerNoise> noise)
            throws IOException {
        if (!settings.endpoints().isEmpty()) {
            return new Scorers(settings, noise, faults.scorers(settings.endpoints()), null, null);
        }
        JudgeNetwork network = JudgeNetwork.shipped(settings.judge(), settings.judgePrecision());
        JudgeEndpoint endpoint = new JudgeEndpoint(new Judge(network), "darkroom-" + settings.judge(), 0);
        return new Scorers(settings, noise, faults.scorers(List.of(endpoint.url())), endpoint, network);
    }

    /** Returns the scorers of a process that leaves scoring to other nodes. */
    public static Scorers elsewhere(ScoringSettings settings) {
        return new Scorers(settings, Scorers::tell, List.of(), null, null);
    }

    /** Returns one device slot, since all endpoints answer the same questions; none without an endpoint. */
    public List<DeviceSlot<ScoreUnit, ScoreOutcome>> deviceSlots(TensorStore store) {
        if (endpoints.isEmpty()) {
            return List.of();
        }
        scorer(settings).close(); // a faulty URL, template or secret fails now
        return List.of(new DeviceSlot<>("reward-0", () -> {
            Scorer scorer = scorer(settings);
            if (embedded == null) {
                var _ = scorer.noise(NOISE_QUESTIONS).thenAccept(all -> all.forEach(noise));
            }
            return new ScorerDevice(scorer, store);
        }));
    }

    /** Logs the noise of a server. */
    public static void tell(ScorerNoise noise) {
        LOG.info(
                "{} scores one pair {} times with standard deviation {}, range {}",
                noise.scorer(),
                noise.count(),
                noise.std(),
                noise.range());
    }

    /**
     * Returns a scorer that asks these endpoints and those of further rewards.
     *
     * @param asked settings of the questions: those that this was opened with, or others
     * @throws CommandFailedException if the settings or the environment cannot be used
     */
    public Scorer scorer(ScoringSettings asked) {
        return opened(() -> Rewards.open(endpoints, asked, environment()), asked);
    }

    /**
     * Returns a scorer for one further reward.
     *
     * @throws CommandFailedException as {@link #scorer}
     */
    public Scorer scorer(ScoringSettings.Reward reward) {
        return opened(() -> Rewards.open(reward, settings, environment()), settings);
    }

    private static Scorer opened(Opener opener, ScoringSettings settings) {
        try {
            return opener.open();
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        } catch (IOException e) {
            Path cache = Path.of(settings.cache());
            throw new CommandFailedException(
                    "scoring.cache=%s cannot be used: %s".formatted(cache, FileFault.reason(e, cache)), e);
        }
    }

    @FunctionalInterface
    private interface Opener {
        Scorer open() throws IOException;
    }

    /** Returns the environment; the embedded judge receives no secret that is meant for the first reward's servers. */
    private Map<String, String> environment() {
        if (embedded == null) {
            return System.getenv();
        }
        Map<String, String> others = new TreeMap<>(System.getenv());
        others.keySet().removeAll(ScorerAccess.VARIABLES);
        return others;
    }

    /** Describes the scorers, for display. */
    public String describe() {
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

    /** Adapts the judge of gpu-workers to the endpoint of reward-actors; neither module knows the other. */
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
