package darkroom.runtime.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The baseline for the tensor plane: a request of eight bytes, answered by the raw tensor. */
final class TcpTensors {
    private static final Logger LOG = LoggerFactory.getLogger(TcpTensors.class);
    private static final int WRITE_BYTES = 1 << 20;

    private TcpTensors() {}

    /** Sends the tensor to every client of the returned port, as long as the process lives. */
    static int serve(Supplier<MemorySegment> tensor) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open().bind(loopback(0));
        Thread.ofPlatform().daemon().name("tcp-accept").start(() -> {
            while (true) {
                try {
                    SocketChannel asking = server.accept().setOption(StandardSocketOptions.TCP_NODELAY, true);
                    Thread.ofPlatform().daemon().name("tcp-send").start(() -> send(asking, tensor));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        });
        return ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    static SocketChannel connect(int port) throws IOException {
        return SocketChannel.open(loopback(port)).setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static void send(SocketChannel asking, Supplier<MemorySegment> tensor) {
        ByteBuffer request = ByteBuffer.allocateDirect(Long.BYTES);
        try (asking) {
            while (true) {
                read(asking, request.clear());
                MemorySegment bytes = tensor.get();
                for (long at = 0; at < bytes.byteSize(); at += WRITE_BYTES) {
                    ByteBuffer part = bytes.asSlice(at, Math.min(WRITE_BYTES, bytes.byteSize() - at))
                            .asByteBuffer();
                    while (part.hasRemaining()) {
                        asking.write(part);
                    }
                }
            }
        } catch (ClosedChannelException ended) {
            LOG.debug("the other side has ended", ended);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Requests the tensor, and returns when all of it is in the target. */
    static void take(SocketChannel from, MemorySegment target) throws IOException {
        ByteBuffer request = ByteBuffer.allocateDirect(Long.BYTES);
        while (request.hasRemaining()) {
            from.write(request);
        }
        for (long at = 0; at < target.byteSize(); at += WRITE_BYTES) {
            read(
                    from,
                    target.asSlice(at, Math.min(WRITE_BYTES, target.byteSize() - at))
                            .asByteBuffer());
        }
    }

    private static void read(SocketChannel from, ByteBuffer into) throws IOException {
        while (into.hasRemaining()) {
            if (from.read(into) < 0) {
                throw new ClosedChannelException();
            }
        }
    }
}
