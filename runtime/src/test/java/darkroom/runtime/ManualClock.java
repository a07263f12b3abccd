package darkroom.runtime;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands until it is moved. */
final class ManualClock implements InstantSource {
    private Instant now;

    ManualClock(Instant begin) {
        this.now = begin;
    }

    static ManualClock at(String instant) {
        return new ManualClock(Instant.parse(instant));
    }

    void pass(Duration time) {
        now = now.plus(time);
    }

    void passSeconds(long seconds) {
        pass(Duration.ofSeconds(seconds));
    }

    @Override
    public Instant instant() {
        return now;
    }
}
