package darkroom.actors;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.agrona.ErrorHandler;
import org.agrona.IoUtil;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The media driver of a plane: its own in this process, or one that runs already. A driver of its own has a directory in
 * shared memory that is removed with it; what dead processes have left there is swept when the next one starts.
 */
final class PlaneDriver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneDriver.class);
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    private static final String PREFIX = "darkroom-plane-";
    private static final Pattern OURS = Pattern.compile(PREFIX + "(\\d+)-\\d+");
    private static final AtomicLong COUNT = new AtomicLong();

    private static final Duration TIMER = Duration.ofMillis(100);
    private static final Duration CONNECTION = Duration.ofMillis(700);
    private static final Duration IMAGE_LIVENESS = Duration.ofSeconds(1);

    /** A process that is stopped for a minute and continued finds its driver and its client as they were. */
    private static final Duration CLIENT_LIVENESS = Duration.ofSeconds(90);

    /** Of no use here, as nobody shares a publication; has to be more than the client's. */
    private static final Duration UNBLOCK = CLIENT_LIVENESS.multipliedBy(2);

    private static final Duration LAGGARD = Duration.ofMillis(700);
    private static final Duration LAGGARD_OUT = Duration.ofMillis(120);
    private static final Duration DRIVER_TIMEOUT = Duration.ofSeconds(5);

    /** A driver of this process stands still only when the process does. */
    private static final Duration OWN_DRIVER_TIMEOUT = CLIENT_LIVENESS;

    private static final long PARK_MAX_NS = 3_000_000;
    private static final long EXECUTOR_PARK_MAX_NS = 20_000_000;

    private final @Nullable MediaDriver own;
    private final Path directory;

    private PlaneDriver(@Nullable MediaDriver own, Path directory) {
        this.own = own;
        this.directory = directory;
    }

    static PlaneDriver open(TensorPlaneSettings settings, ErrorHandler errors) {
        if (settings.driver().isPresent()) {
            return new PlaneDriver(null, settings.driver().get());
        }
        Path parent = Files.isWritable(SHARED_MEMORY) ? SHARED_MEMORY : Path.of(System.getProperty("java.io.tmpdir"));
        sweep(parent);
        Path directory = parent.resolve(PREFIX + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
        int granted = granted(settings.socketBytes());
        MediaDriver.Context context = new MediaDriver.Context()
                .aeronDirectoryName(directory.toString())
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(new BackoffIdleStrategy(10, 0, 1_000, PARK_MAX_NS))
                .publicationTermBufferLength(settings.termBytes())
                .ipcTermBufferLength(settings.termBytes())
                .mtuLength(mtu(settings))
                .ipcMtuLength(mtu(settings))
                .socketRcvbufLength(granted)
                .socketSndbufLength(granted)
                .initialWindowLength(granted)
                .asyncExecutorIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, EXECUTOR_PARK_MAX_NS))
                .timerIntervalNs(TIMER.toNanos())
                .statusMessageTimeoutNs(TIMER.toNanos())
                .publicationConnectionTimeoutNs(CONNECTION.toNanos())
                .imageLivenessTimeoutNs(IMAGE_LIVENESS.toNanos())
                .clientLivenessTimeoutNs(CLIENT_LIVENESS.toNanos())
                .publicationUnblockTimeoutNs(UNBLOCK.toNanos())
                .untetheredWindowLimitTimeoutNs(LAGGARD.toNanos())
                .untetheredLingerTimeoutNs(LAGGARD_OUT.toNanos())
                .untetheredRestingTimeoutNs(LAGGARD_OUT.toNanos())
                .errorHandler(errors);
        return new PlaneDriver(MediaDriver.launch(context), directory);
    }

    /** A message of the settings' chunk and both headers, rounded as Aeron wants it. */
    static int mtu(TensorPlaneSettings settings) {
        return (settings.chunkBytes() + PlaneFrame.BYTES + 32 + 31) / 32 * 32;
    }

    /** What a node publishes on for every node of its driver. */
    static String channelToAll(TensorPlaneSettings settings) {
        return "aeron:ipc?term-length=%d|mtu=%d".formatted(settings.termBytes(), mtu(settings));
    }

    /** What a node publishes on for one other node of its driver. */
    static String channelToOne(TensorPlaneSettings settings) {
        return "aeron:ipc?term-length=%d|mtu=%d".formatted(settings.pairTermBytes(), mtu(settings));
    }

    /** What a node publishes on for one node of another driver. The socket is bound to the node's own address, as its port is. */
    static String channelTo(String address, TensorPlaneSettings settings) {
        int granted = granted(settings.socketBytes());
        return "aeron:udp?endpoint=%s|interface=%s|term-length=%d|mtu=%d|so-sndbuf=%d|so-rcvbuf=%d"
                .formatted(address, bound(settings), settings.termBytes(), mtu(settings), granted, granted);
    }

    /** What a node receives on. */
    static String channelOf(TensorPlaneSettings settings) {
        int granted = granted(settings.socketBytes());
        return "aeron:udp?endpoint=%s:%d|so-rcvbuf=%d|so-sndbuf=%d|rcv-wnd=%d"
                .formatted(bound(settings), settings.port(), granted, granted, granted);
    }

    private static String bound(TensorPlaneSettings settings) {
        try {
            InetAddress address = InetAddress.getByName(settings.host());
            return address instanceof Inet6Address ? "[" + address.getHostAddress() + "]" : address.getHostAddress();
        } catch (UnknownHostException e) {
            throw new UncheckedIOException("no address of " + settings.host(), e);
        }
    }

    /** What the system grants of wanted socket buffers. */
    static int granted(int wanted) {
        try (DatagramChannel probe = DatagramChannel.open()) {
            probe.setOption(StandardSocketOptions.SO_RCVBUF, wanted);
            probe.setOption(StandardSocketOptions.SO_SNDBUF, wanted);
            return Math.min(
                    wanted,
                    Math.min(
                            probe.getOption(StandardSocketOptions.SO_RCVBUF),
                            probe.getOption(StandardSocketOptions.SO_SNDBUF)));
        } catch (IOException e) {
            throw new UncheckedIOException("no UDP socket", e);
        }
    }

    Aeron connect(ErrorHandler errors) {
        return Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(directory.toString())
                .driverTimeoutMs((own == null ? DRIVER_TIMEOUT : OWN_DRIVER_TIMEOUT).toMillis())
                .useConductorAgentInvoker(true)
                .errorHandler(errors)
                .subscriberErrorHandler(errors));
    }

    Path directory() {
        return directory;
    }

    private static void sweep(Path parent) {
        try (Stream<Path> children = Files.list(parent)) {
            children.filter(PlaneDriver::abandoned).forEach(directory -> {
                IoUtil.delete(directory.toFile(), true);
                LOG.info("removed {}, which a dead process has left", directory);
            });
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("could not look for abandoned driver directories in {}", parent, e);
        }
    }

    /** By name of no process that is seen here; its heartbeat too, since another container's processes are not seen. */
    private static boolean abandoned(Path directory) {
        Matcher name = OURS.matcher(directory.getFileName().toString());
        return name.matches()
                && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()
                && !beats(directory.toFile());
    }

    private static boolean beats(File directory) {
        try {
            return CommonContext.isDriverActive(directory, DRIVER_TIMEOUT.toMillis(), LOG::debug);
        } catch (RuntimeException unreadable) {
            return false;
        }
    }

    @Override
    public void close() {
        if (own != null) {
            own.close();
        }
    }
}
