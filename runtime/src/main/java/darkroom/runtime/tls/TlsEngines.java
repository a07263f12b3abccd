package darkroom.runtime.tls;

import com.typesafe.config.Config;
import darkroom.config.ClusterSettings.TlsSettings;
import darkroom.config.ErrorReason;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.remote.artery.tcp.SSLEngineProvider;
import org.apache.pekko.remote.artery.tcp.ssl.RotatingKeysSSLEngineProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * TLS between nodes with certificates that are read again every few minutes, as Pekko does, and a log line for each
 * peer with which it fails, with the reason and the setting to check.
 */
public final class TlsEngines implements SSLEngineProvider {
    public static final String ROTATING = "pekko.remote.artery.ssl.rotating-keys-engine";

    /** Time within which the same message about a peer is not logged again. */
    private static final Duration SAID_EVERY = Duration.ofMinutes(1);

    /** Limit on the remembered messages. */
    private static final int SAID_MAX = 256;

    private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);

    private final RotatingKeysSSLEngineProvider engines;
    private final TlsSettings files;
    private final Consumer<String> said;
    private final Map<String, Long> lines = new LinkedHashMap<>();

    /** Called by Pekko, which finds this class by its name. */
    public TlsEngines(ActorSystem system) {
        this(system, LOG::warn);
    }

    /**
     * Creates engines.
     *
     * @param said receives each failure, a human-readable line
     */
    TlsEngines(ActorSystem system, Consumer<String> said) {
        this.engines = new RotatingKeysSSLEngineProvider(system);
        this.said = said;
        Config config = system.settings().config().getConfig(ROTATING);
        this.files = new TlsSettings(
                config.getString("cert-file"), config.getString("key-file"), config.getString("ca-cert-file"));
    }

    @Override
    public SSLEngine createServerSSLEngine(String hostname, int port) {
        return telling(engines.createServerSSLEngine(hostname, port), "a node that connects to this one");
    }

    @Override
    public SSLEngine createClientSSLEngine(String hostname, int port) {
        return telling(engines.createClientSSLEngine(hostname, port), "the node at %s:%d".formatted(hostname, port));
    }

    private SSLEngine telling(SSLEngine engine, String peer) {
        return new TellingSslEngine(
                engine,
                failure -> say(peer, TlsProblem.of(failure, TlsFiles.problems(files, Instant.now()))),
                () -> say(peer, TlsProblem.endedEarly()));
    }

    @Override
    public Option<Throwable> verifyClientSession(String hostname, SSLSession session) {
        return verified("the node at " + hostname, engines.verifyClientSession(hostname, session));
    }

    @Override
    public Option<Throwable> verifyServerSession(String hostname, SSLSession session) {
        return verified("a node that connects to this one", engines.verifyServerSession(hostname, session));
    }

    private Option<Throwable> verified(String peer, Option<Throwable> problem) {
        if (problem.isDefined()) {
            say(
                    peer,
                    "the certificate that it shows has no subject name in common with cluster.tls.certificate of this"
                            + " node: "
                            + ErrorReason.of(problem.get()));
        }
        return problem;
    }

    private void say(String peer, String what) {
        String line = "no TLS with %s: %s".formatted(peer, what);
        long now = System.nanoTime();
        synchronized (lines) {
            Long before = lines.remove(line);
            if (before != null && now - before < SAID_EVERY.toNanos()) {
                lines.put(line, before);
                return;
            }
            lines.put(line, now);
            if (lines.size() > SAID_MAX) {
                lines.remove(lines.keySet().iterator().next());
            }
        }
        said.accept(line);
    }
}
