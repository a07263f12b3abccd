package darkroom.tensors;

import java.time.Duration;

/**
 * Decides the fate of messages that reach a tensor plane, for fault injection. Called on the plane's thread for every
 * message, so it must not block.
 */
@FunctionalInterface
public interface NetworkFaults {
    /** Delivers every message. */
    NetworkFaults FAULT_FREE = new NetworkFaults() {
        @Override
        public Fate fate(String from, long bytes) {
            return Fate.DELIVERED;
        }

        @Override
        public boolean isFaultFree() {
            return true;
        }
    };

    /** Delay of a {@link Fate#LATE} message. */
    Duration LATENESS = Duration.ofMillis(100);

    /** Fate of one message. */
    enum Fate {
        DELIVERED,
        LOST,
        /** At least one bit of the payload is flipped. */
        CORRUPTED,
        TWICE,
        /** Delivered {@link #LATENESS} later, after other messages. */
        LATE
    }

    /**
     * Returns the fate of one message.
     *
     * @param from name of the sending node, or its number where it has no name yet
     * @param bytes tensor bytes in the message; 0 unless it is data
     */
    Fate fate(String from, long bytes);

    /**
     * Whether every message currently arrives; a tensor may then be read from shared memory, with no message that could be
     * lost.
     */
    default boolean isFaultFree() {
        return false;
    }
}
