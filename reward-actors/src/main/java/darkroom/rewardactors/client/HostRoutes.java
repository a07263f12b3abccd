package darkroom.rewardactors.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Chooses the address of a host for a connection. The JDK's HTTP client takes only the first address of a name; a name such
 * as {@code localhost} often has two, and a server may listen on only one. A host with several addresses is tried at each of
 * them, in the order of the resolver, the next one after {@link #NEXT_AFTER} or at once when one refuses (RFC 8305), and the
 * first that connects is kept until a connection to it fails.
 */
final class HostRoutes {
    /** Time between the starts of two attempts. */
    private static final Duration NEXT_AFTER = Duration.ofMillis(250);

    private final RoutedHttpClient.Resolver resolver;
    private final Executor executor;
    private final Map<String, Route> known = new ConcurrentHashMap<>();

    /**
     * @param address to connect to instead of the one that the HTTP client would take; empty: the client chooses
     * @param addresses of the host that were tried, for messages; empty if only one exists
     */
    record Route(Optional<InetAddress> address, List<InetAddress> addresses) {
        static final Route USUAL = new Route(Optional.empty(), List.of());

        Route {
            addresses = List.copyOf(addresses);
        }

        boolean hasSeveral() {
            return addresses.size() > 1;
        }
    }

    /** @param executor of virtual threads: an attempt to connect blocks one */
    HostRoutes(RoutedHttpClient.Resolver resolver, Executor executor) {
        this.resolver = resolver;
        this.executor = executor;
    }

    /** Returns the route of a URL without waiting; empty if it must be found by connecting. */
    Optional<Route> known(URI url) {
        return Optional.ofNullable(known.get(url.getAuthority()));
    }

    /** Finds the route of a URL; blocks for at most {@code within}. */
    Route find(URI url, Duration within) {
        Route route = found(url, within);
        known.put(url.getAuthority(), route);
        return route;
    }

    /** Drops a route after a connection failure: the next question looks for another. */
    void forget(URI url, Route route) {
        known.remove(url.getAuthority(), route);
    }

    private Route found(URI url, Duration within) {
        InetAddress[] addresses;
        try {
            addresses = resolver.addresses(unbracketed(url.getHost()));
        } catch (UnknownHostException e) {
            return Route.USUAL; // the client reports it
        }
        if (addresses.length < 2) {
            return Route.USUAL;
        }
        List<InetAddress> all = List.of(addresses);
        return connecting(all, port(url), within)
                .filter(winner -> !winner.equals(all.getFirst()))
                .map(winner -> new Route(Optional.of(winner), all))
                .orElseGet(() -> new Route(Optional.empty(), all));
    }

    private Optional<InetAddress> connecting(List<InetAddress> addresses, int port, Duration within) {
        long until = System.nanoTime() + within.toNanos();
        BlockingQueue<Optional<InetAddress>> ended = new LinkedBlockingQueue<>();
        List<Socket> sockets = new ArrayList<>();
        try {
            int failed = 0;
            for (InetAddress address : addresses) {
                sockets.add(begun(address, port, within, ended));
                long wait = Math.min(NEXT_AFTER.toNanos(), until - System.nanoTime());
                Optional<InetAddress> end = ended.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
                if (end != null && end.isPresent()) {
                    return end;
                }
                failed += end == null ? 0 : 1;
            }
            while (failed < addresses.size()) {
                Optional<InetAddress> end = ended.poll(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (end == null || end.isPresent()) {
                    return end == null ? Optional.empty() : end;
                }
                failed++;
            }
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            sockets.forEach(HostRoutes::close);
        }
    }

    private Socket begun(InetAddress address, int port, Duration within, BlockingQueue<Optional<InetAddress>> ended) {
        Socket socket = new Socket();
        executor.execute(() -> {
            try {
                socket.connect(new InetSocketAddress(address, port), (int) Math.max(1, within.toMillis()));
                ended.add(Optional.of(address));
            } catch (IOException e) {
                ended.add(Optional.empty());
            }
        });
        return socket;
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("a socket cannot be closed", e);
        }
    }

    private static int port(URI url) {
        return url.getPort() >= 0 ? url.getPort() : url.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    private static String unbracketed(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
