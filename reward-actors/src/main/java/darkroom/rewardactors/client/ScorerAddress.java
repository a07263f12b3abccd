package darkroom.rewardactors.client;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * URLs of an OpenAI-compatible scorer. The base URL may end in {@code /}, in {@code /v1} or in neither.
 *
 * @param base the URL as given, which is that of an adapter
 * @param chat the URL that questions are posted to
 * @param models the URL that lists models
 * @param version the URL that reports the server's version; beside {@code /v1}, as in vLLM
 * @param tokenize the URL that tokenizes a text; beside {@code /v1}, as in vLLM
 * @param name host and port, for reports
 */
public record ScorerAddress(URI base, URI chat, URI models, URI version, URI tokenize, String name) {

    /**
     * Derives the URLs from a base URL.
     *
     * @throws IllegalArgumentException if this is no http or https URL of a host, or carries user information
     */
    public static ScorerAddress of(URI base) {
        @Nullable String scheme = base.getScheme();
        boolean http = scheme != null && scheme.toLowerCase(Locale.ROOT).matches("https?");
        if (!http || base.getHost() == null) {
            throw new IllegalArgumentException(
                    "scorer URL " + base + " is no http or https URL; write one such as http://localhost:8000");
        }
        if (base.getRawUserInfo() != null || base.getRawQuery() != null || base.getRawFragment() != null) {
            throw new IllegalArgumentException("scorer URL of " + base.getHost()
                    + " has user information, a query or a fragment; give a token by DARKROOM_SCORER_TOKEN instead");
        }
        String path = base.getRawPath().replaceAll("/+$", "").replaceAll("/chat/completions$", "");
        String root = scheme + "://" + base.getRawAuthority() + path.replaceAll("/v1$", "");
        return new ScorerAddress(
                base,
                URI.create(root + "/v1/chat/completions"),
                URI.create(root + "/v1/models"),
                URI.create(root + "/version"),
                URI.create(root + "/tokenize"),
                base.getRawAuthority());
    }
}
