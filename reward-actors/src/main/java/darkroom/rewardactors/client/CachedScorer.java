package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Looks up a score in a {@link ScoreCache} before it asks. The key is the content of a question: pictures, text and system
 * message, method, labels, and the model by its name, or by its endpoints where the settings do not name it. Only scores are
 * cached; an unscored question is asked again. A cached score has 0 attempts.
 */
final class CachedScorer implements Scorer {
    private final Scorer scorer;
    private final ScoreCache cache;
    private final ScoringMethod method;
    private final byte[] asked;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("score-cache-", 0).factory());

    /** @param scorer closed together with this */
    CachedScorer(Scorer scorer, List<URI> endpoints, ScoringSettings settings, ScoreCache cache) {
        this.scorer = scorer;
        this.cache = cache;
        this.method = ScoringMethod.of(settings);
        this.asked = List.of(
                        settings.model().isBlank() ? endpoints : settings.model(),
                        settings.method(),
                        method.system(),
                        method.labels(),
                        settings.answer(),
                        settings.low(),
                        settings.high(),
                        settings.logprobSource(),
                        settings.labelMassMin(),
                        settings.jpegQuality())
                .toString()
                .getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public CompletionStage<ScoreOutcome> score(ScoreRequest request) {
        return CompletableFuture.supplyAsync(() -> lookUp(request), executor).thenCompose(found -> found.known()
                .map(known -> CompletableFuture.<ScoreOutcome>completedFuture(known))
                .orElseGet(() -> asked(found.key(), request)));
    }

    private record Found(String key, Optional<Scored> known) {}

    private Found lookUp(ScoreRequest request) {
        String key = key(request);
        return new Found(key, cache.get(key));
    }

    private CompletableFuture<ScoreOutcome> asked(String key, ScoreRequest request) {
        return scorer.score(request)
                .toCompletableFuture()
                .thenApplyAsync(
                        outcome -> {
                            if (outcome instanceof Scored scored) {
                                cache.put(key, scored);
                            }
                            return outcome;
                        },
                        executor);
    }

    private String key(ScoreRequest request) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            add(digest, asked);
            add(digest, method.words(request).getBytes(StandardCharsets.UTF_8));
            add(digest, request.task().getBytes(StandardCharsets.UTF_8));
            add(digest, request.source().toBytes());
            add(digest, request.edited().toBytes());
            add(
                    digest,
                    request.reference() == null
                            ? new byte[0]
                            : request.reference().toBytes());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void add(MessageDigest digest, byte[] part) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).flip());
        digest.update(part);
    }

    @Override
    public int concurrency() {
        return scorer.concurrency();
    }

    @Override
    public String name() {
        return scorer.name();
    }

    @Override
    public List<String> describe() {
        return scorer.describe();
    }

    @Override
    public CompletionStage<List<ScorerNoise>> noise(int times) {
        return scorer.noise(times);
    }

    @Override
    public void close() {
        scorer.close();
    }
}
