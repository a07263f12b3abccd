package darkroom.runtime.tls;

import darkroom.config.HostPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.event.Logging;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Detects, on a node without TLS, that another node has it, which neither side can read from the other's bytes alone. */
public final class PlainNode {
    private static final Logger LOG = LoggerFactory.getLogger(PlainNode.class);
    private static final Duration LOOK_WITHIN = Duration.ofSeconds(2);

    /** Time within which the same message is not logged again. */
    private static final Duration SAID_EVERY = Duration.ofMinutes(1);

    /**
     * Error with which Pekko refuses a connection that begins with a TLS handshake: these bytes replace those of its
     * own protocol.
     */
    private static final Pattern HELLO = Pattern.compile("magic bytes, got \\[16 03 ");

    private static final String SETTINGS = "cluster.tls.certificate, cluster.tls.key and cluster.tls.authority";

    /** Reason why a node does not admit this one. */
    public static final String OTHER_SPEAKS_TLS =
            "no TLS with it: it speaks TLS, and this node does not: set " + SETTINGS + " here, or nowhere";

    private PlainNode() {}

    /** Logs a warning if another node speaks TLS to this one. */
    public static void watch(ActorSystem<?> system) {
        watch(system, LOG::warn);
    }

    /**
     * Reports if another node speaks TLS to this one.
     *
     * @param said receives the message, a human-readable line
     */
    static void watch(ActorSystem<?> system, Consumer<String> said) {
        ActorRef<Logging.Error> watch = system.systemActorOf(told(said), "plain-node", Props.empty());
        system.eventStream().tell(new EventStream.Subscribe<>(Logging.Error.class, watch));
    }

    private static Behavior<Logging.Error> told(Consumer<String> said) {
        return Behaviors.setup(context -> {
            AtomicLong saidNs = new AtomicLong(System.nanoTime() - SAID_EVERY.toNanos());
            return Behaviors.receiveMessage(error -> {
                long nowNs = System.nanoTime();
                if (isTlsHello(error.cause() + " " + error.message()) && nowNs - saidNs.get() >= SAID_EVERY.toNanos()) {
                    saidNs.set(nowNs);
                    said.accept(
                            "a node that connects to %s begins a TLS handshake, and this node has no TLS: set %s on both, or on neither"
                                    .formatted(context.getSystem().address(), SETTINGS));
                }
                return Behaviors.same();
            });
        });
    }

    /** Whether a logged error says that a connection began with a TLS handshake. */
    static boolean isTlsHello(String error) {
        return HELLO.matcher(error).find();
    }

    /** Answer of a port to a TLS handshake. */
    public enum Handshake {
        /** The port speaks TLS, whether or not it accepts this node. */
        ANSWERED,
        /** The port ended the connection, or sent something other than TLS. */
        REFUSED,
        /** The port sent nothing in time, or could not be reached: nothing is known. */
        SILENT
    }

    /** Starts a TLS handshake with a port, to find out whether it speaks TLS; sends nothing else and trusts nothing it gets. */
    public static Handshake handshake(HostPort node) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(node.host(), node.port()), (int) LOOK_WITHIN.toMillis());
            socket.setSoTimeout((int) LOOK_WITHIN.toMillis());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new Anyone()}, null);
            try (SSLSocket tls =
                    (SSLSocket) context.getSocketFactory().createSocket(socket, node.host(), node.port(), true)) {
                return shake(tls);
            }
        } catch (IOException | GeneralSecurityException e) {
            LOG.debug("{} cannot be asked for TLS: {}", node, e.toString());
            return Handshake.SILENT;
        }
    }

    private static Handshake shake(SSLSocket tls) {
        try {
            tls.startHandshake();
            return Handshake.ANSWERED;
        } catch (SocketTimeoutException e) {
            LOG.debug("no answer to a TLS handshake: {}", e.toString());
            return Handshake.SILENT;
        } catch (IOException e) {
            LOG.debug("a TLS handshake fails: {}", e.toString());
            return TlsProblem.isAlert(e) ? Handshake.ANSWERED : Handshake.REFUSED;
        }
    }

    /** Accepts any certificate: the connection reads it to report what is wrong with it, and sends nothing. */
    private static final class Anyone implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
