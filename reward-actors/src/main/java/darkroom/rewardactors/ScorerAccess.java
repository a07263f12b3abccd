package darkroom.rewardactors;

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
 * What some scorers ask for of whoever asks them: a bearer token, further headers, and that their certificates be believed.
 * Comes from the environment or from files that it names; goes into headers of requests to scorers, and nowhere else.
 */
public final class ScorerAccess {
    /** The token itself. */
    public static final String TOKEN = "DARKROOM_SCORER_TOKEN";

    /** A file whose text is the token. */
    public static final String TOKEN_FILE = "DARKROOM_SCORER_TOKEN_FILE";

    /** A file of headers, a line {@code Name: value} each; what begins with {@code #} is a comment. */
    public static final String HEADERS_FILE = "DARKROOM_SCORER_HEADERS_FILE";

    /** A PEM file of the authorities whose certificates are believed, in the place of the system's. */
    public static final String CA_FILE = "DARKROOM_SCORER_CA_FILE";

    /** Nothing is asked for. */
    public static final ScorerAccess NONE = new ScorerAccess(List.of(), null);

    private static final Pattern HEADER = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)");
    private static final String AUTHORIZATION = "authorization";

    /** Of the request itself, or of the connection. */
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

    /** Shorter values are no secrets, and could be a part of any text. */
    private static final int HIDDEN_CHARACTERS_MIN = 4;

    private final List<Header> headers;
    private final @Nullable SSLContext trusted;

    private record Header(String name, String prefix, String secret) {}

    private ScorerAccess(List<Header> headers, @Nullable SSLContext trusted) {
        this.headers = headers;
        this.trusted = trusted;
    }

    /**
     * What an environment says.
     *
     * @throws IllegalArgumentException naming the variable, and what is wrong; no secret is shown
     */
    public static ScorerAccess in(Map<String, String> environment) {
        List<Header> all = new ArrayList<>();
        String token = environment.getOrDefault(TOKEN, "").strip();
        Optional<Path> tokenFile = file(environment, TOKEN_FILE);
        require(token.isEmpty() || tokenFile.isEmpty(), TOKEN + " and " + TOKEN_FILE + " are both set: unset one");
        String variable = tokenFile.isPresent() ? TOKEN_FILE : TOKEN;
        if (tokenFile.isPresent()) {
            token = text(TOKEN_FILE, tokenFile.get()).strip();
            require(!token.isEmpty(), TOKEN_FILE + "=" + tokenFile.get() + " is empty");
        }
        require(
                token.chars().allMatch(c -> c > ' ' && c < 0x7f),
                variable + " has blanks or characters outside of ASCII; set it again");
        if (!token.isEmpty()) {
            all.add(new Header("Authorization", "Bearer ", token));
        }
        file(environment, HEADERS_FILE).ifPresent(file -> all.addAll(headersIn(file, !all.isEmpty())));
        return new ScorerAccess(
                List.copyOf(all),
                file(environment, CA_FILE).map(ScorerAccess::trusting).orElse(null));
    }

    private static List<Header> headersIn(Path file, boolean hasToken) {
        List<Header> all = new ArrayList<>();
        int number = 0;
        for (String line : text(HEADERS_FILE, file).lines().toList()) {
            number++;
            String where = "%s=%s line %d".formatted(HEADERS_FILE, file, number);
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

    private static SSLContext trusting(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> authorities =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            require(!authorities.isEmpty(), CA_FILE + "=" + file + " has no certificate");
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
            throw unreadable(CA_FILE, file, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "%s=%s has no certificates in PEM: %s".formatted(CA_FILE, file, e.getMessage()), e);
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
                "%s=%s cannot be read: %s"
                        .formatted(variable, file, why.getClass().getSimpleName()),
                why);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /** Whom connections believe; empty: the system's authorities. */
    Optional<SSLContext> trusted() {
        return Optional.ofNullable(trusted);
    }

    void into(HttpRequest.Builder request) {
        headers.forEach(header -> request.header(header.name(), header.prefix() + header.secret()));
    }

    /** Takes the secrets out of a text that a scorer may have echoed. */
    String hiddenIn(String text) {
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
