package darkroom.config;

import java.time.Duration;

/** Checks the values of settings. Any other value is a {@link SettingsException} with the key, the value and the rule. */
final class Allowed {
    /** Largest number of a TCP or UDP port. */
    static final int PORT_MAX = 65_535;

    private static final Duration SHORTEST = Duration.ofMillis(1);
    private static final Duration LONGEST = Duration.ofDays(7);

    private Allowed() {}

    static void text(String key, String value) {
        require(!value.isBlank(), key, "\"" + value + "\"", "a text that is not blank");
    }

    static void whole(String key, long value, long min, long max) {
        require(value >= min && value <= max, key, value, "whole numbers from " + min + " to " + max);
    }

    static void powerOfTwo(String key, int value, int max) {
        require(
                value <= max && Integer.bitCount(value) == 1 && value > 0,
                key,
                value,
                "powers of two from 1 to " + max);
    }

    static void real(String key, double value, double min, double max) {
        require(value >= min && value <= max, key, value, "numbers from " + min + " to " + max);
    }

    static void atLeast(String key, double value, double min) {
        require(value >= min && Double.isFinite(value), key, value, "finite numbers from " + min);
    }

    static void above(String key, double value, double bound) {
        require(value > bound && Double.isFinite(value), key, value, "finite numbers above " + bound);
    }

    static void duration(String key, Duration value) {
        require(
                value.compareTo(SHORTEST) >= 0 && value.compareTo(LONGEST) <= 0,
                key,
                value.toMillis() + "ms",
                "1ms to 7d");
    }

    /** @param allowed the allowed values, or what else must be set */
    static void require(boolean holds, String key, Object value, String allowed) {
        if (!holds) {
            throw SettingsException.of(key, value, allowed);
        }
    }
}
