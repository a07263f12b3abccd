package darkroom.actors;

import java.time.Duration;

/**
 * What becomes of messages that reach a tensor plane: for the injection of faults. Asked on the plane's thread for every
 * message, so it must not wait.
 */
@FunctionalInterface
public interface PlaneWeather {
    /** Everything arrives. */
    PlaneWeather CALM = new PlaneWeather() {
        @Override
        public Fate fate(String from, long bytes) {
            return Fate.DELIVERED;
        }

        @Override
        public boolean isCalm() {
            return true;
        }
    };

    /** How long a {@link Fate#LATE} message takes. */
    Duration LATENESS = Duration.ofMillis(100);

    /** What happens to one message. */
    enum Fate {
        DELIVERED,
        LOST,
        /** One bit or more of what it carries is another one. */
        CORRUPTED,
        TWICE,
        /** Heard {@link #LATENESS} later, behind others. */
        LATE
    }

    /**
     * @param from node that says it, or its number where it has no name yet
     * @param bytes of a tensor in it; 0 in all that is not data
     */
    Fate fate(String from, long bytes);

    /** Whether everything arrives, for now: a tensor may then be read where it lies, with no message that could be lost. */
    default boolean isCalm() {
        return false;
    }
}
