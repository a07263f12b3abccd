package darkroom.rewardactors;

import java.util.Map;
import java.util.Optional;

/** The secret that some scorers ask for. Its text goes into one header and nowhere else. */
public final class BearerToken {
    /** The environment variable that holds it. */
    public static final String VARIABLE = "DARKROOM_SCORER_TOKEN";

    private final String secret;

    private BearerToken(String secret) {
        this.secret = secret;
    }

    /**
     * The token in an environment, if there is one.
     *
     * @throws IllegalArgumentException if it has characters that no header may carry; the message does not show it
     */
    public static Optional<BearerToken> in(Map<String, String> environment) {
        String secret = environment.getOrDefault(VARIABLE, "").strip();
        if (!secret.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException(VARIABLE + " has blanks or characters outside of ASCII; set it again");
        }
        return secret.isEmpty() ? Optional.empty() : Optional.of(new BearerToken(secret));
    }

    String header() {
        return "Bearer " + secret;
    }

    /** Takes the secret out of a text that a scorer may have echoed. */
    String hiddenIn(String text) {
        return text.replace(secret, "***");
    }

    @Override
    public String toString() {
        return "***";
    }
}
