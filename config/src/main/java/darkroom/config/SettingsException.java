package darkroom.config;

/** A setting that cannot work. The message gives the full key, its value, what is allowed, and what to do. */
public final class SettingsException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    public SettingsException(String message) {
        super(message);
    }

    public SettingsException(String message, Throwable cause) {
        super(message, cause);
    }

    /** {@code key=value: allowed are ...}. */
    static SettingsException of(String key, Object value, String allowed) {
        return new SettingsException("%s=%s: allowed are %s".formatted(key, value, allowed));
    }
}
