package darkroom.rewardactors.suites;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.suites.JudgedItem.Answer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Has a judge judge every item of a suite. Every item ends with all its scores or with a reason (promise P-3), within the
 * time of {@link TextJudge} (promise P-4). At most {@link #ITEMS_AHEAD_PER_PLACE} items per place of the judge are in memory,
 * and no more pictures than {@link #PICTURE_BYTES_AHEAD_MAX}, or those of one item (promise P-9).
 */
final class SuiteRun {
    /** Bytes of encoded pictures of unfinished items. A question holds its pictures once more, in base64. */
    static final int PICTURE_BYTES_AHEAD_MAX = 128 << 20;

    static final int ITEMS_AHEAD_PER_PLACE = 2;

    private static final JsonMapper JSON = new JsonMapper();

    private final EditSuite suite;
    private final TextJudge judge;
    private final Map<String, JudgeReply.Scores> earlier;
    private final SuitePictures pictures;
    private final PictureView view;
    private final Semaphore pictureBytes = new Semaphore(PICTURE_BYTES_AHEAD_MAX, true);
    private volatile boolean stopped;

    /** @param earlier answers by digest that are not requested again */
    SuiteRun(EditSuite suite, TextJudge judge, PictureView view, Map<String, JudgeReply.Scores> earlier) {
        this.view = view;
        this.pictures = new SuitePictures(view);
        this.suite = suite;
        this.judge = judge;
        this.earlier = Map.copyOf(earlier);
    }

    /**
     * Passes each item to {@code told} when it is done, on the calling thread, in no particular order.
     *
     * @throws InterruptedException if this thread is interrupted; the judge is then closed
     */
    void run(Consumer<JudgedItem> told) throws InterruptedException {
        int ahead = Math.min(ITEMS_AHEAD_PER_PLACE * judge.concurrency(), TextJudge.WAITING_MAX / 2);
        BlockingQueue<JudgedItem> done = new LinkedBlockingQueue<>(ahead);
        Iterator<SuiteItem> left = suite.items().iterator();
        int atWork = 0;
        try (ExecutorService each = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("suite-item-", 0).factory())) {
            try {
                while (atWork > 0 || (left.hasNext() && !stopped)) {
                    while (atWork < ahead && left.hasNext() && !stopped) {
                        SuiteItem item = left.next();
                        each.execute(() -> done.add(judged(item)));
                        atWork++;
                    }
                    if (atWork > 0) {
                        JudgedItem one = done.take();
                        atWork--;
                        told.accept(one);
                    }
                }
            } catch (Throwable e) {
                stop();
                throw e;
            }
        }
    }

    /** Begins no further item and ends those in work; {@link #run} then returns soon. Closes the judge. */
    void stop() {
        stopped = true;
        judge.close();
    }

    private JudgedItem judged(SuiteItem item) {
        List<SuiteQuestion> questions = suite.questions(item);
        try {
            return asked(item, questions);
        } catch (SuitePictures.UnusableException e) {
            return JudgedItem.unasked(item, questions, ErrorReason.of(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return JudgedItem.unasked(item, questions, TextJudge.CLOSED + ": interrupted");
        } catch (RuntimeException e) {
            return JudgedItem.unasked(
                    item,
                    questions,
                    ScorerFault.permanent("client-error", ErrorReason.of(e)).reason());
        }
    }

    private JudgedItem asked(SuiteItem item, List<SuiteQuestion> questions)
            throws SuitePictures.UnusableException, InterruptedException {
        SuitePictures.Encoded edited = SuitePictures.read("edited image", item.edited());
        SuitePictures.Encoded original = SuitePictures.read("original", item.sources());
        List<String> digests = questions.stream()
                .map(question -> digest(question, item, original, edited))
                .toList();
        if (earlier.keySet().containsAll(digests)) {
            return new JudgedItem(item, answers(questions, digests, List.of()));
        }
        boolean fitted = questions.getFirst().fitted();
        SuitePictures.Shown shown = pictures.shown(original, edited, fitted);
        int bytes = (int) Math.min(PICTURE_BYTES_AHEAD_MAX, shown.bytes());
        pictureBytes.acquire(bytes);
        try {
            List<CompletionStage<JudgeReply>> asked = new ArrayList<>();
            for (int i = 0; i < questions.size(); i++) {
                asked.add(said(questions.get(i), digests.get(i), item, shown));
            }
            List<JudgeReply> said = new ArrayList<>();
            for (CompletionStage<JudgeReply> each : asked) {
                said.add(each.toCompletableFuture().join());
            }
            return new JudgedItem(item, answers(questions, digests, said));
        } finally {
            pictureBytes.release(bytes);
        }
    }

    private CompletionStage<JudgeReply> said(
            SuiteQuestion question, String digest, SuiteItem item, SuitePictures.Shown shown) {
        JudgeReply known = earlier.get(digest);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        List<PngImage> shownPictures =
                question.original() ? List.of(shown.original(), shown.edited()) : List.of(shown.edited());
        return judge.ask(question.prompt().fill(item.instruction()), shownPictures, question.reader());
    }

    /** @param said one per question; empty if all are known */
    private List<Answer> answers(List<SuiteQuestion> questions, List<String> digests, List<JudgeReply> said) {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            String digest = digests.get(i);
            JudgeReply known = earlier.get(digest);
            answers.add(
                    new Answer(questions.get(i).name(), digest, known == null ? said.get(i) : known, known != null));
        }
        return answers;
    }

    /** Digest of everything that decides an answer. The token limit does not: an answer that reaches it is rejected. */
    private String digest(
            SuiteQuestion question, SuiteItem item, SuitePictures.Encoded original, SuitePictures.Encoded edited) {
        ObjectNode all = JSON.createObjectNode().put("model", judge.model());
        all.set("sampling", SuiteResult.deciding(judge));
        all.put("words", question.prompt().fill(item.instruction()));
        all.put("original", question.original() || question.fitted() ? original.sha256() : "");
        all.put("edited", edited.sha256()).put("fitted", question.fitted());
        all.put("pictures", view.label());
        return SuitePictures.sha256(all.toString().getBytes(StandardCharsets.UTF_8));
    }
}
