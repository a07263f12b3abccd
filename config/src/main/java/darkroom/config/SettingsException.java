package darkroom.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings that cannot work. For each fault the message gives the full key, its value, the allowed values, and what to do.
 */
public final class SettingsException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final String key;
    private final List<String> faults;

    public SettingsException(String message) {
        this("", message, null);
    }

    public SettingsException(String message, Throwable cause) {
        this("", message, cause);
    }

    /** @param key the full key of the setting; empty if no single setting is at fault */
    SettingsException(String key, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.key = key;
        this.faults = List.of(message);
    }

    private SettingsException(List<String> faults, SettingsException first) {
        super(String.join(System.lineSeparator(), faults), first);
        this.key = first.key;
        this.faults = List.copyOf(faults);
    }

    /** Returns {@code key=value: allowed are ...}. */
    static SettingsException of(String key, Object value, String allowed) {
        return new SettingsException(key, "%s=%s: allowed are %s".formatted(key, value, allowed), null);
    }

    /** Combines one or more faults into one exception. */
    static SettingsException all(List<SettingsException> faults) {
        return faults.size() == 1
                ? faults.getFirst()
                : new SettingsException(
                        faults.stream()
                                .flatMap(fault -> fault.faults().stream())
                                .distinct()
                                .toList(),
                        faults.getFirst());
    }

    /** The full key of the setting; empty if no single setting is at fault. */
    String key() {
        return key;
    }

    /** All faults, one line each. */
    public List<String> faults() {
        return faults;
    }
}
