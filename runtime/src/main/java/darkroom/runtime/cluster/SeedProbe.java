package darkroom.runtime.cluster;

import darkroom.config.ClusterSettings;
import darkroom.config.ErrorReason;
import darkroom.config.HostPort;
import darkroom.runtime.tls.PlainNode;
import darkroom.runtime.tls.TlsProblem;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Finds out why a joining node gets no answer, as far as its own machine can tell: one line for each address it tries.
 */
public final class SeedProbe {
    static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);

    private SeedProbe() {}

    /**
     * Connects to all addresses at the same time.
     *
     * @param own where this node is reached
     */
    public static List<String> look(List<HostPort> seeds, ClusterSettings own) {
        List<CompletableFuture<String>> asked = new ArrayList<>();
        for (HostPort seed : seeds) {
            CompletableFuture<String> line = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> line.complete(seed + ": " + look(seed, own)));
            asked.add(line);
        }
        return asked.stream().map(CompletableFuture::join).toList();
    }

    private static String look(HostPort seed, ClusterSettings own) {
        try (Socket socket = new Socket()) {
            InetAddress address = InetAddress.getByName(seed.host());
            socket.connect(new InetSocketAddress(address, seed.port()), Math.toIntExact(CONNECT_WITHIN.toMillis()));
            return reached(socket, seed, own);
        } catch (UnknownHostException e) {
            return "no address is known by this name here";
        } catch (SocketTimeoutException e) {
            return "no answer within %d s: there is no such machine, or a firewall drops what is sent"
                    .formatted(CONNECT_WITHIN.toSeconds());
        } catch (ConnectException e) {
            return "nobody listens there (%s): the control node has not started, or listens at another address, which it prints when it starts"
                    .formatted(ErrorReason.of(e));
        } catch (IOException e) {
            return "it cannot be reached from here: " + ErrorReason.of(e);
        }
    }

    /** Describes a listener: what it is, and whether it can reach this node. */
    private static String reached(Socket socket, HostPort seed, ClusterSettings own) throws IOException {
        InetAddress here = socket.getLocalAddress();
        boolean otherMachine = !here.equals(socket.getInetAddress());
        if (otherMachine && InetAddress.getByName(own.host()).isLoopbackAddress()) {
            return "it listens, and cannot reach this node at cluster.host=%s, which is loopback: add --set cluster.host=%s"
                    .formatted(own.host(), here.getHostAddress());
        }
        PlainNode.Handshake answer = PlainNode.handshake(seed);
        if (!own.tls().enabled() && answer == PlainNode.Handshake.ANSWERED) {
            return PlainNode.OTHER_SPEAKS_TLS;
        }
        if (own.tls().enabled() && answer == PlainNode.Handshake.REFUSED) {
            return TlsProblem.endedEarly();
        }
        return "it listens, and has not let this node in. A control node is known by one address alone, that of its own cluster.host, which it prints when it starts: join by exactly that one. It must reach this node at cluster.host=%s%s"
                .formatted(
                        own.host(),
                        own.tls().enabled()
                                ? ", and both need valid certificates of one authority (cluster.tls)"
                                : ", and have no cluster.tls, as this one has none");
    }
}
