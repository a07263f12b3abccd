package darkroom.rewardactors.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * An address that neither accepts nor refuses a connection: it listens, its queue of connections is full, and nobody
 * accepts one.
 */
public final class SilentAddress implements AutoCloseable {
    /** More than Linux queues for a backlog of 1. */
    private static final int CONNECTIONS = 4;

    private final ServerSocket socket;
    private final List<SocketChannel> waiting = new ArrayList<>();

    /** @param port 0 for any free port */
    public SilentAddress(String address, int port) throws IOException {
        socket = new ServerSocket(port, 1, InetAddress.getByName(address));
        for (int i = 0; i < CONNECTIONS; i++) {
            SocketChannel channel = SocketChannel.open();
            waiting.add(channel);
            channel.configureBlocking(false);
            channel.connect(new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort()));
        }
    }

    public InetAddress address() {
        return socket.getInetAddress();
    }

    @Override
    public void close() {
        try {
            for (SocketChannel channel : waiting) {
                channel.close();
            }
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
