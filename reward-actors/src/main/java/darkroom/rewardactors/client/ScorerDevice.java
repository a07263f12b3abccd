package darkroom.rewardactors.client;

import darkroom.actors.device.Device;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Device of a scorer's endpoint: fetches the pictures of a unit from the tensor store and asks the scorer.
 *
 * <p>A failing scorer gives {@link ScoreOutcome.Unscored}; the stage completes exceptionally only when the pictures
 * themselves are lost or invalid.
 */
public final class ScorerDevice implements Device<ScoreUnit, ScoreOutcome> {
    /** Maximum number of encoded source pictures kept for the other edits of the same group. */
    private static final int SOURCES_KEPT_MAX = 64;

    private final Scorer scorer;
    private final TensorStore tensors;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("scorer-pictures-", 0).factory());
    private final Map<TensorRef, PngImage> sources = new LinkedHashMap<>(16, .75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TensorRef, PngImage> eldest) {
            return size() > SOURCES_KEPT_MAX;
        }
    };

    /**
     * Creates the device of one scorer.
     *
     * @param scorer closed together with this device
     */
    public ScorerDevice(Scorer scorer, TensorStore tensors) {
        this.scorer = scorer;
        this.tensors = tensors;
    }

    @Override
    public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
        return CompletableFuture.supplyAsync(() -> request(unit), executor).thenCompose(scorer::score);
    }

    @Override
    public int capacity() {
        return scorer.concurrency();
    }

    @Override
    public void close() {
        scorer.close();
    }

    private ScoreRequest request(ScoreUnit unit) {
        TensorRef reference = unit.prompt().reference();
        return new ScoreRequest(
                unit.name(),
                source(unit.prompt().source()),
                encoded(unit.pixels()),
                reference == null ? null : source(reference),
                unit.prompt().instruction(),
                unit.prompt().requirement(),
                unit.prompt().taskType());
    }

    private PngImage source(TensorRef ref) {
        synchronized (sources) {
            PngImage kept = sources.get(ref);
            if (kept != null) {
                return kept;
            }
        }
        PngImage encoded = encoded(ref);
        synchronized (sources) {
            sources.put(ref, encoded);
        }
        return encoded;
    }

    private PngImage encoded(TensorRef ref) {
        if (ref.type() != TensorRef.ElementType.UINT8
                || ref.shape().size() != 3
                || ref.shape().get(2) != 3) {
            throw new IllegalArgumentException("tensor " + ref.id() + " is " + ref.type() + " " + ref.shape()
                    + ", not a picture UINT8 [height, width, 3]");
        }
        MemorySegment pixels = tensors.read(ref);
        return PngImage.ofPixels(ref.shape().get(1), ref.shape().get(0), pixels.toArray(ValueLayout.JAVA_BYTE));
    }
}
