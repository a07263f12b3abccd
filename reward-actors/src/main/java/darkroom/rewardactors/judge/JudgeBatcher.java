package darkroom.rewardactors.judge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Combines questions that arrive together into one call of the judge. One thread makes the calls, so that while the judge
 * computes, the next batch gathers.
 */
final class JudgeBatcher implements AutoCloseable {
    /** Time that the first question of a batch waits for others: the cost of a batch does not depend on its size. */
    private static final Duration GATHER = Duration.ofMillis(20);

    private final JudgeModel judge;
    private final BlockingQueue<Asked> waiting;
    private final Thread thread;
    private volatile boolean closed;

    private record Asked(JudgeModel.Question question, CompletableFuture<float[]> answer) {}

    JudgeBatcher(JudgeModel judge, int waitingMax) {
        this.judge = judge;
        this.waiting = new ArrayBlockingQueue<>(waitingMax);
        this.thread = Thread.ofPlatform().daemon().name("judge").start(this::work);
    }

    /** Returns logits over the labels, later; exceptionally if the judge failed, the queue is full, or this is closed. */
    CompletableFuture<float[]> ask(JudgeModel.Question question) {
        Asked asked = new Asked(question, new CompletableFuture<>());
        if (closed || !waiting.offer(asked)) {
            asked.answer.completeExceptionally(new IllegalStateException("the judge takes no more questions now"));
        } else if (closed && waiting.remove(asked)) { // offered after the last ones were taken out
            asked.answer.completeExceptionally(closedException());
        }
        return asked.answer;
    }

    private static IllegalStateException closedException() {
        return new IllegalStateException("the judge was closed");
    }

    private void work() {
        List<Asked> batch = new ArrayList<>();
        try {
            while (!closed) {
                gather(batch);
                answer(batch);
                batch.clear();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closed = true;
            waiting.drainTo(batch);
            for (Asked asked : batch) {
                asked.answer.completeExceptionally(closedException());
            }
        }
    }

    private void gather(List<Asked> batch) throws InterruptedException {
        batch.add(waiting.take());
        long deadline = System.nanoTime() + GATHER.toNanos();
        while (batch.size() < judge.batchMax()) {
            Asked next = waiting.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (next == null) {
                return;
            }
            batch.add(next);
        }
    }

    private void answer(List<Asked> batch) {
        try {
            List<float[]> logits =
                    judge.judge(batch.stream().map(Asked::question).toList());
            if (logits.size() != batch.size()) {
                throw new IllegalStateException(
                        "the judge gave " + logits.size() + " answers to " + batch.size() + " questions");
            }
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).answer.complete(logits.get(i));
            }
        } catch (RuntimeException e) {
            for (Asked asked : batch) {
                asked.answer.completeExceptionally(e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
