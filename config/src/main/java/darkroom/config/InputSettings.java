package darkroom.config;

/**
 * SHA-256 digests of the inputs of a run, in hexadecimal: written into {@code settings.conf} when the run begins, and
 * compared each time the run is resumed or a node reads the same file. An empty text accepts any content.
 *
 * @param train training rows with their pictures, or the rendered tasks
 * @param validation rows that decide when the run stops
 * @param heldOut rows that the report measures
 * @param base weights of {@code policy.base}
 * @param judge weights of the embedded judge {@code scoring.judge}
 */
public record InputSettings(String train, String validation, String heldOut, String base, String judge) {
    /** No digest is recorded yet. */
    public static final InputSettings NONE = new InputSettings("", "", "", "", "");

    public InputSettings {
        sha256("inputs.train", train);
        sha256("inputs.validation", validation);
        sha256("inputs.held-out", heldOut);
        sha256("inputs.base", base);
        sha256("inputs.judge", judge);
    }

    private static void sha256(String key, String value) {
        Allowed.require(
                value.matches("|[0-9a-f]{64}"),
                key,
                '"' + value + '"',
                "64 hexadecimal digits of a SHA-256, or an empty text, which accepts what is there");
    }
}
