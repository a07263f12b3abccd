package darkroom.runtime.tls;

import darkroom.config.ClusterSettings.TlsSettings;
import darkroom.config.ErrorReason;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;
import org.apache.pekko.pki.pem.DERPrivateKeyLoader;
import org.apache.pekko.pki.pem.PEMDecoder;
import org.jspecify.annotations.Nullable;

/** The three files of {@code cluster.tls}, checked before a node uses them. */
public final class TlsFiles {
    private static final String CERTIFICATE = "cluster.tls.certificate";
    private static final String KEY = "cluster.tls.key";
    private static final String AUTHORITY = "cluster.tls.authority";
    private static final List<String> USES = List.of("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    private static final String ANY_USE = "2.5.29.37.0";

    private final List<String> problems = new ArrayList<>();

    private TlsFiles() {}

    /**
     * Checks that other nodes can trust a node with these files.
     *
     * @throws CommandFailedException with every problem, each with its setting, its file and the reason
     */
    public static void require(TlsSettings settings, Instant now) {
        List<String> problems = problems(settings, now);
        if (!problems.isEmpty()) {
            throw new CommandFailedException(String.join("\n", problems), ExitCode.USAGE);
        }
    }

    /** Returns what is wrong with these files, one line each; nothing if messages are not encrypted. */
    static List<String> problems(TlsSettings settings, Instant now) {
        TlsFiles files = new TlsFiles();
        if (settings.enabled()) {
            files.look(settings, now);
        }
        return List.copyOf(files.problems);
    }

    private void look(TlsSettings settings, Instant now) {
        X509Certificate certificate = certificate(CERTIFICATE, settings.certificate(), now);
        X509Certificate authority = certificate(AUTHORITY, settings.authority(), now);
        PrivateKey key = key(settings.key());
        if (certificate != null && key != null && !fits(key, certificate.getPublicKey())) {
            problems.add("%s=%s is not the key of the certificate in %s=%s"
                    .formatted(KEY, settings.key(), CERTIFICATE, settings.certificate()));
        }
        if (certificate != null && authority != null) {
            untrusted(certificate, authority)
                    .ifPresent(why -> problems.add("the certificate in %s=%s (%s) %s in %s=%s (%s)%s"
                            .formatted(
                                    CERTIFICATE,
                                    settings.certificate(),
                                    name(certificate),
                                    why.what(),
                                    AUTHORITY,
                                    settings.authority(),
                                    name(authority),
                                    why.because())));
        }
        if (certificate != null && !isForBothSides(certificate)) {
            problems.add(
                    "the certificate in %s=%s is not for both clients and servers (extended key usage serverAuth and clientAuth); a node is both"
                            .formatted(CERTIFICATE, settings.certificate()));
        }
    }

    /**
     * Reason why an authority does not vouch for a certificate, whose dates are checked apart from it.
     *
     * @param what before the name of the authority
     * @param because after it
     */
    private record Untrusted(String what, String because) {}

    private static Optional<Untrusted> untrusted(X509Certificate certificate, X509Certificate authority) {
        String unsigned = "is not signed by the authority";
        X500Principal issuer = certificate.getIssuerX500Principal();
        if (!issuer.equals(authority.getSubjectX500Principal())) {
            return Optional.of(new Untrusted(unsigned, ": its issuer is " + issuer.getName()));
        }
        try {
            certificate.verify(authority.getPublicKey());
            return Optional.empty();
        } catch (SignatureException | InvalidKeyException e) {
            return Optional.of(
                    new Untrusted(unsigned, ": that has the name of its issuer, and another key; was it made anew?"));
        } catch (GeneralSecurityException e) {
            return Optional.of(new Untrusted("cannot be checked with the authority", ": " + ErrorReason.of(e)));
        }
    }

    private static boolean isForBothSides(X509Certificate certificate) {
        try {
            List<String> uses = certificate.getExtendedKeyUsage();
            return uses == null || uses.contains(ANY_USE) || uses.containsAll(USES);
        } catch (CertificateException e) {
            return false;
        }
    }

    private @Nullable X509Certificate certificate(String setting, String file, Instant now) {
        try {
            byte[] bytes = Files.readAllBytes(Path.of(file));
            if (CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(bytes))
                    instanceof X509Certificate certificate) {
                if (now.isAfter(certificate.getNotAfter().toInstant())) {
                    problems.add("%s=%s: the certificate of %s expired on %s"
                            .formatted(
                                    setting,
                                    file,
                                    name(certificate),
                                    certificate.getNotAfter().toInstant()));
                } else if (now.isBefore(certificate.getNotBefore().toInstant())) {
                    problems.add("%s=%s: the certificate of %s is not valid before %s"
                            .formatted(
                                    setting,
                                    file,
                                    name(certificate),
                                    certificate.getNotBefore().toInstant()));
                }
                return certificate;
            }
            problems.add("%s=%s is not an X.509 certificate".formatted(setting, file));
        } catch (IOException e) {
            problems.add(unread(setting, file, e));
        } catch (CertificateException e) {
            problems.add("%s=%s is not a certificate in PEM form: %s".formatted(setting, file, ErrorReason.of(e)));
        }
        return null;
    }

    private @Nullable PrivateKey key(String file) {
        try {
            return DERPrivateKeyLoader.load(
                    PEMDecoder.decode(Files.readString(Path.of(file), StandardCharsets.ISO_8859_1)));
        } catch (IOException e) {
            problems.add(unread(KEY, file, e));
        } catch (Exception e) { // Scala declares none
            problems.add("%s=%s is not an RSA private key in PEM form, PKCS#8 without a passphrase: %s"
                    .formatted(KEY, file, ErrorReason.of(e)));
        }
        return null;
    }

    private static String unread(String setting, String file, IOException why) {
        return "%s=%s cannot be read: %s"
                .formatted(
                        setting,
                        file,
                        switch (why) {
                            case NoSuchFileException _ -> "the file does not exist";
                            case AccessDeniedException _ -> "permission denied";
                            default -> ErrorReason.of(why);
                        });
    }

    /** Whether the certified key verifies what the private key signs. */
    private static boolean fits(PrivateKey key, PublicKey certified) {
        String algorithm =
                switch (key.getAlgorithm().toUpperCase(Locale.ROOT)) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> key.getAlgorithm();
                };
        byte[] text = "darkroom".getBytes(StandardCharsets.US_ASCII);
        try {
            Signature signing = Signature.getInstance(algorithm);
            signing.initSign(key);
            signing.update(text);
            byte[] signed = signing.sign();
            Signature verifying = Signature.getInstance(algorithm);
            verifying.initVerify(certified);
            verifying.update(text);
            return verifying.verify(signed);
        } catch (InvalidKeyException otherKind) {
            return false;
        } catch (GeneralSecurityException e) {
            return key.getAlgorithm().equals(certified.getAlgorithm());
        }
    }

    static String name(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().getName();
    }
}
