package darkroom.tensors;

import darkroom.config.ErrorReason;
import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.reports.LossReportUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The media driver of a tensor plane: embedded in this process, or external. An embedded driver creates its directory where
 * there is room ({@link PlaneMemory}) and removes it on close; directories of dead processes are removed when the next
 * driver starts.
 *
 * <p>Two nodes use one driver if both have read the same {@link #token} in its directory. Names of directories prove
 * nothing: containers have separate memory under the same name.
 */
final class PlaneDriver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneDriver.class);
    private static final String PREFIX = "darkroom-plane-";
    private static final String TOKEN = "darkroom-token";

    private static final Duration TIMER = Duration.ofMillis(100);
    private static final Duration CONNECTION = Duration.ofMillis(700);
    private static final Duration IMAGE_LIVENESS = Duration.ofSeconds(1);

    /** Client liveness timeout; a process that is stopped for a minute and continued keeps its driver and its client. */
    private static final Duration CLIENT_LIVENESS = Duration.ofSeconds(90);

    /** Unblock timeout: irrelevant here, since no publication is shared, but must exceed the client's. */
    private static final Duration UNBLOCK = CLIENT_LIVENESS.multipliedBy(2);

    private static final Duration LAGGARD = Duration.ofMillis(700);
    private static final Duration LAGGARD_OUT = Duration.ofMillis(120);
    private static final Duration DRIVER_TIMEOUT = Duration.ofSeconds(5);

    /** Timeout of an embedded driver, which stalls only when its process does. */
    private static final Duration OWN_DRIVER_TIMEOUT = CLIENT_LIVENESS;

    private static final long PARK_MAX_NS = 3_000_000;
    private static final long EXECUTOR_PARK_MAX_NS = 20_000_000;

    private final @Nullable MediaDriver own;
    private final @Nullable LockedDirectory locked;
    private final Path directory;
    private final TensorPlaneSettings settings;
    private final boolean isShort;

    private PlaneDriver(
            @Nullable MediaDriver own,
            @Nullable LockedDirectory locked,
            Path directory,
            TensorPlaneSettings settings,
            boolean isShort) {
        this.own = own;
        this.locked = locked;
        this.directory = directory;
        this.settings = settings;
        this.isShort = isShort;
    }

    /**
     * @throws PlaneUnavailableException if a driver has no room or does not start
     */
    static PlaneDriver open(TensorPlaneSettings settings, ErrorHandler errors) {
        if (settings.driver().isPresent()) {
            Path directory = settings.driver().get();
            long block = PlaneMemory.Place.look(directory).room();
            return new PlaneDriver(null, null, directory, settings.within(block), false);
        }
        LockedDirectory.sweep(PlaneMemory.SHARED, PREFIX);
        LockedDirectory.sweep(Path.of(System.getProperty("java.io.tmpdir")), PREFIX);
        PlaneMemory memory = PlaneMemory.ofThisProcess();
        memory.shortage().ifPresent(what -> LOG.warn("{}", what));
        return launched(memory, settings.within(memory.room()), errors);
    }

    /**
     * Starts a media driver of this process.
     *
     * @param memory where its files are
     */
    static PlaneDriver launched(PlaneMemory memory, TensorPlaneSettings settings, ErrorHandler errors) {
        LockedDirectory locked;
        try {
            locked = LockedDirectory.create(memory.parent(), PREFIX);
        } catch (IOException e) {
            throw new PlaneUnavailableException(
                    "no media driver in %s: %s".formatted(memory.parent(), ErrorReason.of(e)), e);
        }
        try {
            MediaDriver driver = MediaDriver.launch(context(locked.path(), settings, errors));
            SharedFile.allocate(LossReportUtil.file(locked.path().toString()).toPath()); // the only sparse one
            return new PlaneDriver(
                    driver, locked, locked.path(), settings, memory.shortage().isPresent());
        } catch (IOException | RuntimeException | InternalError e) { // InternalError: the memory was taken by others
            closed(locked);
            throw new PlaneUnavailableException(
                    "no media driver in %s, where %s were free: %s"
                            .formatted(memory.parent(), PlaneMemory.mebibytes(memory.room()), ErrorReason.of(e)),
                    e);
        }
    }

    private static MediaDriver.Context context(Path directory, TensorPlaneSettings settings, ErrorHandler errors) {
        int granted = granted(settings.socketBytes());
        return new MediaDriver.Context()
                .aeronDirectoryName(directory.toString())
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(new BackoffIdleStrategy(10, 0, 1_000, PARK_MAX_NS))
                .publicationTermBufferLength(settings.networkTermBytes())
                .ipcTermBufferLength(settings.pairTermBytes())
                .termBufferSparseFile(false) // a sparse page that cannot be backed kills the process
                .lowStorageWarningThreshold(0)
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
    }

    /** Returns the size of a message with one chunk and both headers, rounded as Aeron requires. */
    static int mtu(TensorPlaneSettings settings) {
        return (settings.chunkBytes() + PlaneFrame.BYTES + 32 + 31) / 32 * 32;
    }

    /** Returns the channel on which a node publishes to every node of its driver. */
    static String channelToAll(TensorPlaneSettings settings) {
        return "aeron:ipc?term-length=%d|mtu=%d|sparse=false".formatted(settings.allTermBytes(), mtu(settings));
    }

    /** Returns the channel on which a node publishes to one other node of its driver. */
    static String channelToOne(TensorPlaneSettings settings) {
        return "aeron:ipc?term-length=%d|mtu=%d|sparse=false".formatted(settings.pairTermBytes(), mtu(settings));
    }

    /**
     * Returns the channel on which a node publishes to one node of another driver. The socket is bound to the node's own
     * address, like its port.
     */
    static String channelTo(String address, TensorPlaneSettings settings) {
        int granted = granted(settings.socketBytes());
        return "aeron:udp?endpoint=%s|interface=%s|term-length=%d|mtu=%d|sparse=false|so-sndbuf=%d|so-rcvbuf=%d"
                .formatted(address, bound(settings), settings.networkTermBytes(), mtu(settings), granted, granted);
    }

    /** Returns the channel on which a node receives. */
    static String channelOf(TensorPlaneSettings settings) {
        int granted = granted(settings.socketBytes());
        return "aeron:udp?endpoint=%s:%d|sparse=false|so-rcvbuf=%d|so-sndbuf=%d|rcv-wnd=%d"
                .formatted(bound(settings), settings.port(), granted, granted, granted);
    }

    private static String bound(TensorPlaneSettings settings) {
        try {
            InetAddress address = InetAddress.getByName(settings.host());
            return address instanceof Inet6Address ? "[" + address.getHostAddress() + "]" : address.getHostAddress();
        } catch (UnknownHostException e) {
            throw new UncheckedIOException("no address of the tensor plane: " + ErrorReason.of(e), e);
        }
    }

    /** Returns the socket buffer size that the system grants for a requested size. */
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
            throw new UncheckedIOException("no UDP socket: " + ErrorReason.of(e), e);
        }
    }

    /**
     * @throws PlaneUnavailableException if the driver does not answer within its timeout
     */
    Aeron connect(ErrorHandler errors) {
        try {
            return Aeron.connect(new Aeron.Context()
                    .aeronDirectoryName(directory.toString())
                    .driverTimeoutMs((own == null ? DRIVER_TIMEOUT : OWN_DRIVER_TIMEOUT).toMillis())
                    .useConductorAgentInvoker(true)
                    .errorHandler(errors)
                    .subscriberErrorHandler(errors));
        } catch (RuntimeException e) {
            throw new PlaneUnavailableException(
                    "the media driver in %s does not answer: %s".formatted(directory, ErrorReason.of(e)), e);
        }
    }

    Path directory() {
        return directory;
    }

    /** Returns the settings that planes with this driver use, limited to the available room. */
    TensorPlaneSettings settings() {
        return settings;
    }

    /** Whether a shortage of memory has been logged. */
    boolean isShort() {
        return isShort;
    }

    /**
     * Returns the token of the driver's directory: nodes that have read the same one use the same driver. Empty if the
     * directory cannot be written.
     */
    String token() {
        Path file = directory.resolve(TOKEN);
        try {
            return Files.readString(SharedFile.shared(file, Token.create().getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            LOG.warn("{} cannot be written: other nodes are reached over the network only", file, e);
            return "";
        }
    }

    private static void closed(LockedDirectory directory) {
        try {
            directory.close();
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} stays until another node starts", directory.path(), e);
        }
    }

    @Override
    public void close() {
        try {
            if (own != null) {
                own.close();
            }
        } finally {
            if (locked != null) {
                closed(locked);
            }
        }
    }
}
