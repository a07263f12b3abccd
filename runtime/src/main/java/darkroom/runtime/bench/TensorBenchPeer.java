package darkroom.runtime.bench;

import com.sun.management.OperatingSystemMXBean;
import darkroom.runtime.report.Logging;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlanePeer;
import darkroom.tensors.TensorPlaneSettings;
import darkroom.tensors.TensorPlaneSettings.Transport;
import darkroom.tensors.TensorRef;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.SystemNanoClock;
import org.jspecify.annotations.Nullable;

/**
 * One process of {@code bench tensors}: reads one order per line, answers each with a line, and ends with its input.
 * Started by {@link TensorBench} only.
 */
final class TensorBenchPeer implements AutoCloseable {
    /** Prefix of an answer, among other output. */
    static final String MARK = "@";

    private static final String NOTHING = "-";

    /** Index of the word with the driver directory in the answer of a plane: the last one. */
    static final int DRIVER_WORD = 6;

    private static final int WORDS_OF_PEER = DRIVER_WORD + 1;
    private static final int CACHE_LINE = 64;

    private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final Map<TensorRoute, AeronTensorPlane> planes = new EnumMap<>(TensorRoute.class);
    private final List<AeronTensorPlane> opened = new ArrayList<>();
    private final List<OffHeapTensorStore> stores = new ArrayList<>();
    private @Nullable TensorRef tensor;
    private volatile MemorySegment source = MemorySegment.NULL;
    private @Nullable SocketChannel tcp;
    private @Nullable ArteryTensors artery;
    private String arterySource = "";
    private Arena memory = Arena.ofShared();
    private MemorySegment target = MemorySegment.NULL;
    private MemorySegment copied = MemorySegment.NULL;

    private TensorBenchPeer() {}

    /** Executes orders from standard input until it ends. */
    public static void main(String... args) throws Exception {
        Logging.start(false);
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        try (TensorBenchPeer peer = new TensorBenchPeer()) {
            for (String line = orders.readLine(); line != null; line = orders.readLine()) {
                answers.println(MARK + peer.obey(List.of(line.split(" "))));
                answers.flush();
            }
        }
    }

    private String obey(List<String> order) throws Exception {
        String first = order.size() > 1 ? order.get(1) : "";
        return switch (order.getFirst()) {
            case "plane" ->
                plane(
                        first,
                        Transport.valueOf(order.get(2)),
                        Long.parseLong(order.get(3)),
                        Integer.parseInt(order.get(4)),
                        order.subList(5, order.size()));
            case "peers" -> peers(order.subList(1, order.size()));
            case "put" -> put(Integer.parseInt(first));
            case "serve-tcp" -> String.valueOf(TcpTensors.serve(this::source));
            case "connect-tcp" -> {
                tcp = TcpTensors.connect(Integer.parseInt(first));
                yield "";
            }
            case "artery" -> {
                ArteryTensors started = new ArteryTensors(first, Integer.parseInt(order.get(2)), this::source);
                artery = started;
                yield started.address();
            }
            case "reach-artery" -> {
                arterySource = first;
                yield "";
            }
            case "take" ->
                String.valueOf(take(
                        TensorRoute.valueOf(first),
                        new TensorRef(
                                Long.parseLong(order.get(2)),
                                order.get(3),
                                TensorRef.ElementType.UINT8,
                                List.of(Integer.parseInt(order.get(4))),
                                Long.parseLong(order.get(5))),
                        Integer.parseInt(order.get(6))));
            case "cpu" -> String.valueOf(process.getProcessCpuTime());
            default -> throw new IllegalArgumentException(order.toString());
        };
    }

    /** Opens a plane; answers the words of its address. */
    private String plane(String name, Transport transport, long bytes, int termBytes, List<String> driver) {
        TensorPlaneSettings settings =
                TensorPlaneSettings.defaults(bytes).over(transport).inTermsOf(termBytes);
        if (!driver.isEmpty()) {
            settings = settings.with(Path.of(driver.getFirst()));
        }
        OffHeapTensorStore store = new OffHeapTensorStore(name, 2 * bytes);
        AeronTensorPlane plane = AeronTensorPlane.open(name, store, settings, SystemNanoClock.INSTANCE);
        stores.add(store);
        opened.add(plane);
        planes.put(transport == Transport.UDP ? TensorRoute.PLANE_UDP : TensorRoute.PLANE_IPC, plane);
        PlanePeer peer = plane.peer();
        return String.join(
                " ",
                peer.node(),
                peer.host(),
                worded(peer.driver()),
                worded(peer.export()),
                worded(peer.exportToken()),
                worded(peer.address()),
                plane.driverDirectory().map(Path::toString).orElse(NOTHING));
    }

    private String peers(List<String> words) {
        List<PlanePeer> peers = new ArrayList<>();
        for (int i = 0; i < words.size(); i += WORDS_OF_PEER) {
            peers.add(new PlanePeer(
                    words.get(i),
                    words.get(i + 1),
                    word(words.get(i + 2)),
                    word(words.get(i + 3)),
                    word(words.get(i + 4)),
                    word(words.get(i + 5))));
        }
        opened.forEach(plane -> plane.peers(peers));
        return "";
    }

    private static String worded(String text) {
        return text.isEmpty() ? NOTHING : text;
    }

    private static String word(String word) {
        return word.equals(NOTHING) ? "" : word;
    }

    /** Creates the tensor that this process sends from now on; answers id, home, bytes and checksum. */
    private String put(int bytes) {
        OffHeapTensorStore store = stores.getFirst();
        if (tensor != null) {
            store.release(tensor);
        }
        TensorRef made = store.put(TensorRef.ElementType.UINT8, List.of(bytes), to -> {
            for (long at = 0; at < bytes; at++) {
                to.set(ValueLayout.JAVA_BYTE, at, (byte) (at * 31 / CACHE_LINE));
            }
        });
        tensor = made;
        source = store.read(made);
        return "%d %s %d %d".formatted(made.id(), made.home(), bytes, made.checksum());
    }

    private MemorySegment source() {
        return source;
    }

    /** Takes the tensor {@code count} times; answers nanoseconds. */
    private long take(TensorRoute route, TensorRef ref, int count) throws Exception {
        if (target.byteSize() != ref.bytes()) {
            memory.close();
            memory = Arena.ofShared();
            target = memory.allocate(ref.bytes(), CACHE_LINE);
            copied = memory.allocate(ref.bytes(), CACHE_LINE);
        }
        long nanos = 0;
        for (int i = 0; i < count; i++) {
            long begun = System.nanoTime();
            switch (route) {
                case PLANE_IPC, PLANE_UDP -> done(plane(route).bring(List.of(ref)));
                case TCP -> {
                    if (tcp != null) {
                        TcpTensors.take(tcp, target);
                    }
                }
                case ARTERY -> {
                    if (artery != null) {
                        done(artery.take(arterySource, target));
                    }
                }
                case MEMCPY -> copied.copyFrom(target);
            }
            nanos += System.nanoTime() - begun;
            if (route == TensorRoute.PLANE_IPC || route == TensorRoute.PLANE_UDP) {
                plane(route).forget(List.of(ref));
            }
        }
        return nanos;
    }

    private AeronTensorPlane plane(TensorRoute route) {
        AeronTensorPlane plane = planes.get(route);
        if (plane == null) {
            throw new IllegalStateException("no plane for " + route);
        }
        return plane;
    }

    private static void done(CompletionStage<Void> stage) {
        stage.toCompletableFuture().join();
    }

    @Override
    public void close() {
        opened.reversed().forEach(AeronTensorPlane::close);
        stores.forEach(OffHeapTensorStore::close);
        if (artery != null) {
            artery.close();
        }
    }
}
