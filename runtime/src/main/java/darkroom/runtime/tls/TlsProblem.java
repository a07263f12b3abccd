package darkroom.runtime.tls;

import darkroom.config.ErrorReason;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Explains why TLS between two nodes failed, and where to look. */
public final class TlsProblem {
    private static final String ALERT = "Received fatal alert: ";
    private static final int CAUSES_MAX = 16;

    private TlsProblem() {}

    /**
     * Returns what a failure of TLS means.
     *
     * @param own what is wrong with the files of this node
     */
    static String of(SSLException failure, List<String> own) {
        String text = String.valueOf(failure.getMessage());
        int alerted = text.indexOf(ALERT);
        if (alerted >= 0) {
            String alert = text.substring(alerted + ALERT.length()).toLowerCase(Locale.ROOT);
            return "it refuses the certificate of this node (TLS alert %s): %s"
                    .formatted(
                            alert,
                            own.isEmpty()
                                    ? "compare cluster.tls.authority there with that of this node, and"
                                            + " cluster.tls.certificate here"
                                    : String.join("; ", own));
        }
        Throwable cause = failure;
        Optional<X509Certificate> shown = Optional.empty();
        for (int depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
            switch (cause) {
                case CertPathValidatorException invalid -> shown = shown.or(() -> certificate(invalid));
                case CertificateExpiredException _ -> {
                    return "the certificate that it shows%s expired%s: renew cluster.tls.certificate there"
                            .formatted(
                                    named(shown),
                                    shown.map(of -> " on " + of.getNotAfter().toInstant())
                                            .orElse(" (" + ErrorReason.of(cause) + ")"));
                }
                case CertificateNotYetValidException _ -> {
                    return "the certificate that it shows%s is not valid%s: look at cluster.tls.certificate there, and at both clocks"
                            .formatted(
                                    named(shown),
                                    shown.map(of -> " before "
                                                    + of.getNotBefore().toInstant())
                                            .orElse(" yet (" + ErrorReason.of(cause) + ")"));
                }
                case CertPathBuilderException _ -> {
                    return "the certificate that it shows is of an authority that this node does not know: compare"
                            + " cluster.tls.authority of both nodes";
                }
                default -> {}
            }
            cause = cause.getCause();
        }
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.contains("unrecognized ssl message") || lower.contains("unsupported or unrecognized record")) {
            return "it speaks no TLS, and this node does: set cluster.tls.certificate, cluster.tls.key and"
                    + " cluster.tls.authority there, or nowhere";
        }
        if (lower.contains("empty client certificate chain") || lower.contains("no certificate")) {
            return "it shows no certificate: look at cluster.tls.certificate there";
        }
        return "TLS was not agreed: " + text;
    }

    /** Whether the other side ended the handshake by a TLS alert, which shows that it speaks TLS. */
    static boolean isAlert(Exception failure) {
        return String.valueOf(failure.getMessage()).contains(ALERT);
    }

    /** Returns the message for a connection that the other side ended before the first message. */
    public static String endedEarly() {
        return "it ended the connection before TLS was agreed: it may speak no TLS (cluster.tls is set on every node"
                + " or on none)";
    }

    private static Optional<X509Certificate> certificate(CertPathValidatorException invalid) {
        int at = invalid.getIndex();
        if (invalid.getCertPath() == null || at < 0) {
            return Optional.empty();
        }
        List<? extends Certificate> path = invalid.getCertPath().getCertificates();
        return at < path.size() && path.get(at) instanceof X509Certificate certificate
                ? Optional.of(certificate)
                : Optional.empty();
    }

    private static String named(Optional<X509Certificate> certificate) {
        return certificate.map(of -> " (" + TlsFiles.name(of) + ")").orElse("");
    }
}
