package darkroom.rewardactors.pairs;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.FileFault;
import darkroom.rewardactors.client.Scorer;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.pairs.PairRows.Row;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerFault;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Scores a file of image pairs, in its order. Every row ends with a score or unscored with its reason, also a malformed row
 * or a missing picture (promise P-3). At most {@link #rowsAhead()} rows are in memory, and no more pictures than {@link
 * #PICTURE_BYTES_AHEAD_MAX}, or those of one row (promise P-9); the time is bounded as in {@link ScorerClient} (promise P-4).
 */
public final class PairScorer {
    /** Bytes of encoded pictures of unfinished rows. A request holds its pictures once more, in base64. */
    static final int PICTURE_BYTES_AHEAD_MAX = 128 << 20;

    private static final int ROWS_AHEAD_PER_PLACE = 4;

    private final Scorer scorer;
    private final PictureView view;
    private final int pictureBytesMax;
    private final Semaphore pictureBytes;

    /**
     * Creates a scorer of pairs.
     *
     * @param scorer stays open
     */
    public PairScorer(Scorer scorer, PictureView view) {
        this(scorer, view, PICTURE_BYTES_AHEAD_MAX);
    }

    PairScorer(Scorer scorer, PictureView view, int pictureBytesMax) {
        this.scorer = scorer;
        this.view = view;
        this.pictureBytesMax = pictureBytesMax;
        this.pictureBytes = new Semaphore(pictureBytesMax, true);
    }

    /** Maximum number of rows read but not yet reported: with this many, one slow answer leaves the other places busy. */
    public int rowsAhead() {
        return Math.min(ROWS_AHEAD_PER_PLACE * scorer.concurrency(), ScorerClient.WAITING_MAX);
    }

    private record Pending(Row row, CompletableFuture<ScoreOutcome> outcome) {}

    /**
     * Passes each row of the file to {@code told} in the order of the file, on the calling thread.
     *
     * @throws IOException if the file cannot be read to its end
     * @throws InterruptedException if this thread is interrupted; the client then still works on some rows
     */
    public void score(PairRows rows, Consumer<ScoredPair> told) throws IOException, InterruptedException {
        Queue<Pending> pending = new ArrayDeque<>();
        try (ExecutorService readers = Executors.newFixedThreadPool(
                Math.max(2, Runtime.getRuntime().availableProcessors()),
                Thread.ofPlatform().daemon().name("pair-reader-", 0).factory())) {
            try {
                for (Row row = rows.next(); row != null; row = rows.next()) {
                    pending.add(new Pending(row, outcome(row, readers)));
                    if (pending.size() == rowsAhead()) {
                        tell(pending.remove(), told);
                    }
                }
                while (!pending.isEmpty()) {
                    tell(pending.remove(), told);
                }
            } finally {
                readers.shutdownNow();
            }
        }
    }

    private static void tell(Pending pending, Consumer<ScoredPair> told) throws InterruptedException {
        ScoreOutcome outcome;
        try {
            outcome = pending.outcome().get();
        } catch (ExecutionException e) {
            outcome = unscored("client-error", ErrorReason.of(e));
        }
        told.accept(new ScoredPair(pending.row().line(), pending.row().id(), outcome));
    }

    private CompletableFuture<ScoreOutcome> outcome(Row row, ExecutorService readers) {
        return switch (row) {
            case Row.Malformed malformed -> CompletableFuture.completedFuture(new Unscored(malformed.reason(), 0));
            case Row.Pair pair ->
                CompletableFuture.supplyAsync(() -> read(pair), readers).thenCompose(question -> switch (question) {
                    case Question.Whole(ScoreRequest request, int bytes) ->
                        scorer.score(request).whenComplete((_, _) -> pictureBytes.release(bytes));
                    case Question.Broken(Unscored unscored) -> CompletableFuture.completedFuture(unscored);
                });
        };
    }

    /** Pictures of a row, or why they are missing. */
    private sealed interface Question {
        /** @param bytes reserved in the budget of pictures, and released when the row is done */
        record Whole(ScoreRequest request, int bytes) implements Question {}

        record Broken(Unscored unscored) implements Question {}
    }

    private Question read(Row.Pair pair) {
        Path reading = pair.source();
        try {
            PngImage source = PngImage.read(reading, view);
            reading = pair.edited();
            PngImage edited = PngImage.read(reading, view);
            ScoreRequest request = new ScoreRequest(
                    "line " + pair.line(), source, edited, null, pair.instruction(), pair.requirement(), pair.task());
            int bytes = (int) Math.min(pictureBytesMax, (long) source.length() + edited.length());
            pictureBytes.acquire(bytes);
            return new Question.Whole(request, bytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Question.Broken(unscored("closed", "reading was interrupted"));
        } catch (NoSuchFileException e) {
            return new Question.Broken(unscored("no-image", reading + " is not there"));
        } catch (IOException e) {
            return new Question.Broken(unscored("bad-image", reading + ": " + FileFault.reason(e, reading)));
        }
    }

    private static Unscored unscored(String code, String detail) {
        return new Unscored(ScorerFault.permanent(code, detail).reason(), 0);
    }
}
