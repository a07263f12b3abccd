package darkroom.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Settings that cannot work. The message gives for each the full key, its value, what is allowed, and what to do. */
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

    /** @param key the full key of the setting; empty where the fault is of no single one */
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

    /** {@code key=value: allowed are ...}. */
    static SettingsException of(String key, Object value, String allowed) {
        return new SettingsException(key, "%s=%s: allowed are %s".formatted(key, value, allowed), null);
    }

    /** One exception for one or more faults. */
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

    /** The full key of the setting; empty where the fault is of no single one. */
    String key() {
        return key;
    }

    /** All that is wrong, one line each. */
    public List<String> faults() {
        return faults;
    }
}
