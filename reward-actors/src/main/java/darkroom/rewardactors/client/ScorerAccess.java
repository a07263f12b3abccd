package darkroom.rewardactors.client;

import darkroom.config.ErrorReason;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Credentials that scorers require: a bearer token, further headers, and certificate authorities to trust. They come from the
 * environment or from files that it names, and are sent only in headers of requests to scorers.
 */
public final class ScorerAccess {
    /** Variable of the token itself. */
    public static final String TOKEN = "DARKROOM_SCORER_TOKEN";

    /** Variable of a file whose text is the token. */
    public static final String TOKEN_FILE = "DARKROOM_SCORER_TOKEN_FILE";

    /** Variable of a file of headers, one {@code Name: value} per line; lines that begin with {@code #} are comments. */
    public static final String HEADERS_FILE = "DARKROOM_SCORER_HEADERS_FILE";

    /** Variable of a PEM file of the trusted authorities, which replace those of the system. */
    public static final String CA_FILE = "DARKROOM_SCORER_CA_FILE";

    /** All variables. */
    public static final Set<String> VARIABLES = Set.of(TOKEN, TOKEN_FILE, HEADERS_FILE, CA_FILE);

    /** No credentials. */
    public static final ScorerAccess NONE = new ScorerAccess(List.of(), null);

    private static final Pattern HEADER = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)");
    private static final String AUTHORIZATION = "authorization";

    /** Headers of the request itself, or of the connection. */
    private static final Set<String> OURS = Set.of(
            "accept-encoding",
            "connection",
            "content-length",
            "content-type",
            "expect",
            "host",
            "transfer-encoding",
            "upgrade",
            "x-request-id");

    /** Minimum length of a secret; shorter values could be a part of any text. */
    private static final int HIDDEN_CHARACTERS_MIN = 4;

    private final List<Header> headers;
    private final @Nullable SSLContext trusted;

    private record Header(String name, String prefix, String secret) {}

    private ScorerAccess(List<Header> headers, @Nullable SSLContext trusted) {
        this.headers = headers;
        this.trusted = trusted;
    }

    /**
     * Reads the credentials from an environment.
     *
     * @throws IllegalArgumentException naming the variable and the fault; no secret is shown
     */
    public static ScorerAccess in(Map<String, String> environment) {
        return in(environment, "");
    }

    /**
     * Reads the credentials of a further reward, whose servers receive no secrets of others: the same variables with the name
     * as a suffix, {@code DARKROOM_SCORER_TOKEN_EDIT_SCORE} for {@code edit-score}.
     *
     * @throws IllegalArgumentException as {@link #in}
     */
    public static ScorerAccess ofReward(String name, Map<String, String> environment) {
        return in(environment, "_" + name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    private static ScorerAccess in(Map<String, String> environment, String whose) {
        String headersName = HEADERS_FILE + whose;
        String authoritiesName = CA_FILE + whose;
        List<Header> all = new ArrayList<>();
        token(environment, TOKEN + whose, TOKEN_FILE + whose)
                .ifPresent(token -> all.add(new Header("Authorization", "Bearer ", token)));
        file(environment, headersName).ifPresent(file -> all.addAll(headersIn(headersName, file, !all.isEmpty())));
        return new ScorerAccess(
                List.copyOf(all),
                file(environment, authoritiesName)
                        .map(file -> trusting(authoritiesName, file))
                        .orElse(null));
    }

    private static Optional<String> token(Map<String, String> environment, String name, String fileName) {
        String token = environment.getOrDefault(name, "").strip();
        Optional<Path> tokenFile = file(environment, fileName);
        require(token.isEmpty() || tokenFile.isEmpty(), name + " and " + fileName + " are both set: unset one");
        String variable = tokenFile.isPresent() ? fileName : name;
        if (tokenFile.isPresent()) {
            token = text(fileName, tokenFile.get()).strip();
            require(!token.isEmpty(), fileName + "=" + tokenFile.get() + " is empty");
        }
        require(
                token.chars().allMatch(c -> c > ' ' && c < 0x7f),
                variable + " has blanks or characters outside of ASCII; set it again");
        return token.isEmpty() ? Optional.empty() : Optional.of(token);
    }

    private static List<Header> headersIn(String variable, Path file, boolean hasToken) {
        List<Header> all = new ArrayList<>();
        int number = 0;
        for (String line : text(variable, file).lines().toList()) {
            number++;
            String where = "%s=%s line %d".formatted(variable, file, number);
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            Matcher header = HEADER.matcher(line.strip());
            require(header.matches(), where + " is no \"Name: value\"");
            String name = header.group(1);
            String value = header.group(2).strip();
            String plain = name.toLowerCase(Locale.ROOT);
            require(!OURS.contains(plain), where + ": header " + name + " is not yours to set");
            require(
                    !hasToken || !plain.equals(AUTHORIZATION),
                    where + ": Authorization is what the bearer token goes into; unset one");
            require(
                    !value.isEmpty() && value.chars().allMatch(c -> c >= ' ' && c < 0x7f),
                    where + ": the value of header " + name + " is empty, or has characters outside of ASCII");
            all.add(new Header(name, "", value));
        }
        return all;
    }

    private static SSLContext trusting(String variable, Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> authorities =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            require(!authorities.isEmpty(), variable + "=" + file + " has no certificate");
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int number = 0;
            for (Certificate authority : authorities) {
                store.setCertificateEntry("authority-" + number++, authority);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw unreadable(variable, file, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "%s=%s has no certificates in PEM: %s".formatted(variable, file, ErrorReason.of(e)), e);
        }
    }

    private static Optional<Path> file(Map<String, String> environment, String variable) {
        String name = environment.getOrDefault(variable, "").strip();
        try {
            return name.isEmpty() ? Optional.empty() : Optional.of(Path.of(name));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException(variable + " is no path: " + e.getReason(), e);
        }
    }

    private static String text(String variable, Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw unreadable(variable, file, e);
        }
    }

    private static IllegalArgumentException unreadable(String variable, Path file, IOException why) {
        return new IllegalArgumentException(
                "%s=%s cannot be read: %s".formatted(variable, file, ErrorReason.of(why)), why);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /** Trusted authorities of connections; empty: those of the system. */
    Optional<SSLContext> trusted() {
        return Optional.ofNullable(trusted);
    }

    public void into(HttpRequest.Builder request) {
        headers.forEach(header -> request.header(header.name(), header.prefix() + header.secret()));
    }

    /** Removes the secrets from a text that a scorer may have echoed. */
    public String hiddenIn(String text) {
        String shown = text;
        for (Header header : headers) {
            if (header.secret().length() >= HIDDEN_CHARACTERS_MIN) {
                shown = shown.replace(header.secret(), "***");
            }
        }
        return shown;
    }

    @Override
    public String toString() {
        return "ScorerAccess(%d headers%s)".formatted(headers.size(), trusted == null ? "" : ", own authorities");
    }
}
