package darkroom.tensors;

import static darkroom.tensors.PlaneFleet.until;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
@EnabledOnOs(OS.LINUX)
class PlaneFutexTest {
    private static final long LONG = TimeUnit.MINUTES.toNanos(1);

    private final Path directory;

    PlaneFutexTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private PlaneFutex futex(int stream) {
        return PlaneFutex.open(directory, stream).orElseThrow();
    }

    @Test
    void who_sleeps_is_woken_by_another_node() {
        PlaneFutex sleeper = futex(7);
        PlaneFutex other = futex(-8);
        CompletableFuture<Void> woken = CompletableFuture.runAsync(() -> {
            sleeper.drowsy();
            sleeper.sleep(LONG);
        });
        until("it is awake", () -> {
            other.ring(7);
            return woken.isDone();
        });
    }

    @Test
    void who_was_rung_for_before_sleeping_does_not_sleep() {
        PlaneFutex sleeper = futex(7);
        sleeper.drowsy();
        futex(8).ring(7);
        sleeper.sleep(LONG);
    }

    @Test
    void nobody_sleeps_longer_than_was_said() {
        PlaneFutex sleeper = futex(7);
        long begun = System.nanoTime();
        sleeper.drowsy();
        sleeper.sleep(TimeUnit.MILLISECONDS.toNanos(20));
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(19));
    }
}
