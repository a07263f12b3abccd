package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollTest {
    private static final Duration OFTEN = Duration.ofMillis(1);
    private static final Duration LONG = Duration.ofMinutes(10);

    @Test
    void a_value_is_returned_at_the_first_look_that_finds_it() throws Exception {
        AtomicInteger looks = new AtomicInteger();
        assertThat(Poll.forValue(
                        OFTEN, LONG, () -> looks.incrementAndGet() == 3 ? Optional.of("there") : Optional.empty()))
                .hasValue("there");
        assertThat(looks).hasValue(3);
    }

    @Test
    void a_condition_that_never_holds_is_checked_until_its_bound() throws Exception {
        long began = System.nanoTime();
        assertThat(Poll.until(Duration.ofDays(1), Duration.ofMillis(5), () -> false))
                .isFalse();
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(Duration.ofMillis(5));
    }

    @Test
    void an_interrupt_ends_the_wait() {
        assertThatThrownBy(() -> Poll.until(LONG, LONG, () -> {
                    Thread.currentThread().interrupt();
                    return false;
                }))
                .isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
}
