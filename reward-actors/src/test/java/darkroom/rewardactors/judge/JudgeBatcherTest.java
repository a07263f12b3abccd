package darkroom.rewardactors.judge;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class JudgeBatcherTest {
    private static final int ROUNDS = 300;
    private static final int ASKING = 3;

    private static final class Even implements JudgeModel {
        @Override
        public int batchMax() {
            return 4;
        }

        @Override
        public List<float[]> judge(List<Question> questions) {
            return questions.stream().map(_ -> new float[6]).toList();
        }
    }

    /** P-4: a question asked while the judge closes is answered at once, not after the timeout of the endpoint. */
    @Test
    void every_question_asked_while_it_closes_is_answered_or_refused() throws Exception {
        BufferedImage picture = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        JudgeModel.Question question = new JudgeModel.Question(picture, picture, null, "make it blue");
        for (int round = 0; round < ROUNDS; round++) {
            Queue<CompletableFuture<float[]>> answers = new ConcurrentLinkedQueue<>();
            CyclicBarrier together = new CyclicBarrier(ASKING + 1);
            CountDownLatch asked = new CountDownLatch(ASKING);
            List<Thread> threads = new ArrayList<>();
            try (JudgeBatcher batcher = new JudgeBatcher(new Even(), 256)) {
                for (int i = 0; i < ASKING; i++) {
                    threads.add(Thread.ofPlatform().start(() -> {
                        try {
                            together.await();
                            for (int n = 0; n < 40; n++) {
                                answers.add(batcher.ask(question));
                            }
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        } finally {
                            asked.countDown();
                        }
                    }));
                }
                together.await();
            }
            assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
            for (CompletableFuture<float[]> answer : answers) {
                assertThat(answer.handle((_, _) -> true).get(5, TimeUnit.SECONDS))
                        .isTrue();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
