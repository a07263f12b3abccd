package darkroom.runtime.base;

import darkroom.config.ClusterSettings;
import darkroom.config.ErrorReason;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.function.Consumer;

/**
 * Checks, before anything is started, that a node can listen where its settings say: {@code cluster.host} is an address
 * of this machine that others can reach, and its ports are free.
 */
public final class OwnAddress {
    /**
     * Setting with which a node listens at another address than it is reached at, for instance behind address
     * translation.
     */
    private static final String BOUND_ELSEWHERE = "pekko.remote.artery.bind.hostname";

    private OwnAddress() {}

    /**
     * Checks the address and the ports.
     *
     * @param warning receives a line if only this machine reaches the node by its name
     * @throws CommandFailedException with the key, its value and the addresses of this machine
     */
    public static void require(ClusterSettings cluster, Consumer<String> warning) {
        if (System.getProperty(BOUND_ELSEWHERE) != null) {
            return;
        }
        InetAddress address = resolved(cluster.host());
        if (address.isAnyLocalAddress()) {
            throw refused("cluster.host=%s is every address of this machine and none that another node can use"
                    .formatted(cluster.host()));
        }
        requireFree(cluster, address);
        boolean name = !cluster.host().equals("localhost") && !cluster.host().matches("[0-9.]+|.*:.*");
        if (name && address.isLoopbackAddress()) {
            warning.accept(
                    "cluster.host=%s is %s here, which this machine alone reaches: no node of another machine can join. Name an address: %s"
                            .formatted(cluster.host(), address.getHostAddress(), addresses()));
        }
    }

    private static InetAddress resolved(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw refused("cluster.host=%s: no address is known by this name here".formatted(host));
        }
    }

    private static void requireFree(ClusterSettings cluster, InetAddress address) {
        try (ServerSocket any = new ServerSocket()) {
            any.bind(new InetSocketAddress(address, 0));
        } catch (IOException e) {
            throw refused("cluster.host=%s is not an address of this machine (%s: %s)"
                    .formatted(cluster.host(), address.getHostAddress(), ErrorReason.of(e)));
        }
        try (ServerSocket messages = new ServerSocket()) {
            messages.bind(new InetSocketAddress(address, cluster.port()));
        } catch (IOException e) {
            throw inUse("cluster.port", cluster.port(), "TCP", cluster.host(), e);
        }
        ClusterSettings.PlaneSettings plane = cluster.tensorPlane();
        if (plane.transport() != ClusterSettings.Transport.IPC) {
            try (DatagramSocket tensors = new DatagramSocket(new InetSocketAddress(address, plane.port()))) {
                tensors.getLocalPort();
            } catch (SocketException e) {
                throw inUse("cluster.tensor-plane.port", plane.port(), "UDP", cluster.host(), e);
            }
        }
    }

    private static CommandFailedException inUse(String key, int port, String protocol, String host, IOException why) {
        return new CommandFailedException(
                why instanceof BindException
                        ? "%s=%d is in use: another process has %s port %d of cluster.host=%s. Choose another port, or 0 for a free one."
                                .formatted(key, port, protocol, port, host)
                        : "%s=%d cannot be used on cluster.host=%s: %s".formatted(key, port, host, ErrorReason.of(why)),
                ExitCode.USAGE);
    }

    private static CommandFailedException refused(String what) {
        return new CommandFailedException(
                "%s. Set it to the address of this machine that other nodes reach; it has %s"
                        .formatted(what, addresses()),
                ExitCode.USAGE);
    }

    /** Returns the addresses of interfaces that are up, loopback last. */
    private static List<String> addresses() {
        try {
            return NetworkInterface.networkInterfaces()
                    .filter(OwnAddress::isUp)
                    .flatMap(NetworkInterface::inetAddresses)
                    .sorted((a, b) -> Boolean.compare(a.isLoopbackAddress(), b.isLoopbackAddress()))
                    .map(InetAddress::getHostAddress)
                    .toList();
        } catch (SocketException e) {
            return List.of();
        }
    }

    private static boolean isUp(NetworkInterface one) {
        try {
            return one.isUp();
        } catch (SocketException gone) {
            return false;
        }
    }
}
