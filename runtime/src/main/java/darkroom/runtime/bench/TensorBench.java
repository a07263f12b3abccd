package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Moves tensors between processes of this machine by the tensor plane and by the alternatives, in turns. */
@Command(
        name = "tensors",
        description = {
            "Moves tensors from one process to another: the tensor plane through shared memory and"
                    + " by UDP; plain TCP; actor messages by Artery; memcpy. In turns, median of"
                    + " repeats.",
            "",
            "With --fan-out: one tensor to several processes, by one publication and by TCP one after the other."
        })
public final class TensorBench implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(TensorBench.class);
    private static final int MEBIBYTE = 1 << 20;
    private static final int FAN_OUT_BYTES = 200 * MEBIBYTE;
    private static final int ROUND_BYTES = 256 * MEBIBYTE;
    private static final int COUNT_MAX = 500;
    private static final long IDLE_SECONDS = 10;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--sizes",
            paramLabel = "BYTES",
            split = ",",
            defaultValue = "64k,1m,16m,256m",
            description = "Sizes, in KiB (k) or MiB (m). Default: ${DEFAULT-VALUE}")
    private List<String> sizes;

    @Option(
            names = "--repeats",
            paramLabel = "N",
            defaultValue = "7",
            description = "Rounds over all ways, after one that warms up. Default: ${DEFAULT-VALUE}")
    private int repeats;

    @Option(
            names = "--fan-out",
            paramLabel = "RECEIVERS",
            split = ",",
            arity = "0..1",
            fallbackValue = "4,8",
            description = "200 MiB to so many receivers instead. Without a number: ${FALLBACK-VALUE}")
    private List<Integer> fanOut = List.of();

    @Option(
            names = "--artery-chunk",
            paramLabel = "BYTES",
            defaultValue = "200k",
            description = "Size of Artery's messages. Default: ${DEFAULT-VALUE}")
    private String arteryChunk;

    @Option(
            names = "--ways",
            paramLabel = "WAY",
            split = ",",
            description = "Some of: plane_ipc, plane_udp, tcp, artery, memcpy. Default: all")
    private List<TensorRoute> ways = List.of(TensorRoute.values());

    @Option(
            names = "--term",
            paramLabel = "BYTES",
            defaultValue = "16m",
            description = "Term length of the plane. Default: ${DEFAULT-VALUE}")
    private String term;

    @Option(names = "--json", description = "A line of JSON for each figure instead of tables.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (fanOut.isEmpty()) {
            between();
            idle();
        } else {
            for (int receivers : fanOut) {
                fanOut(receivers);
            }
        }
        return ExitCode.OK.code();
    }

    private void between() throws IOException {
        long largest = sizes.stream().mapToLong(TensorBench::bytes).max().orElse(0);
        try (Peer sender = new Peer();
                Peer receiver = new Peer()) {
            String home = sender.tell("plane home AUTO %d %d".formatted(largest, bytes(term)));
            String driver = home.split(" ")[TensorBenchPeer.DRIVER_WORD];
            String near = receiver.tell("plane near IPC %d %d %s".formatted(largest, bytes(term), driver));
            String far = receiver.tell("plane far UDP %d %d".formatted(largest, bytes(term)));
            for (Peer peer : List.of(sender, receiver)) {
                peer.tell("peers %s %s %s".formatted(home, near, far));
            }
            receiver.tell("connect-tcp " + sender.tell("serve-tcp"));
            String artery = sender.tell("artery source " + bytes(arteryChunk));
            receiver.tell("artery sink " + bytes(arteryChunk));
            receiver.tell("reach-artery " + artery);
            say(String.format(
                    Locale.ROOT,
                    "%-20s %10s %8s %8s %12s %12s%n",
                    "way",
                    "size",
                    "GB/s",
                    "best",
                    "CPU-s/GB",
                    "ms each"));
            for (String size : sizes) {
                long bytes = bytes(size);
                String ref = sender.tell("put " + bytes);
                int count = Math.clamp(ROUND_BYTES / bytes, 1, COUNT_MAX);
                Map<TensorRoute, Rounds> rounds = new EnumMap<>(TensorRoute.class);
                for (int round = -1; round < repeats; round++) {
                    for (TensorRoute route : ways) {
                        long busy = sender.number("cpu") + receiver.number("cpu");
                        long nanos = receiver.number("take %s %s %d".formatted(route, ref, count));
                        busy = sender.number("cpu") + receiver.number("cpu") - busy;
                        if (round >= 0) {
                            rounds.computeIfAbsent(route, _ -> new Rounds(new ArrayList<>(), new ArrayList<>()))
                                    .add(nanos / 1e9 / count, busy / 1e9 / count);
                        }
                    }
                }
                rounds.forEach((route, each) -> row(route, size, bytes, each.seconds(), each.cpu()));
            }
        }
    }

    /** Seconds, and processor seconds of both processes, for one tensor. */
    private record Rounds(List<Double> seconds, List<Double> cpu) {
        void add(double wall, double busy) {
            seconds.add(wall);
            cpu.add(busy);
        }
    }

    private void row(TensorRoute route, String size, long bytes, List<Double> seconds, List<Double> cpu) {
        double gigabytes = bytes / 1e9;
        double median = median(seconds);
        double best = seconds.stream().mapToDouble(Double::doubleValue).min().orElse(median);
        if (json) {
            print(JsonLines.JSON
                    .createObjectNode()
                    .put("way", route.label())
                    .put("bytes", bytes)
                    .put("gigabytesPerSecond", rounded(gigabytes / median))
                    .put("best", rounded(gigabytes / best))
                    .put("cpuSecondsPerGigabyte", rounded(median(cpu) / gigabytes))
                    .put("milliseconds", rounded(median * 1e3)));
        } else {
            say(String.format(
                    Locale.ROOT,
                    "%-20s %10s %8.2f %8.2f %12.2f %12.3f%n",
                    route.label(),
                    size,
                    gigabytes / median,
                    gigabytes / best,
                    median(cpu) / gigabytes,
                    median * 1e3));
        }
    }

    /** Measures two nodes that know each other, have moved something, and are idle. */
    private void idle() throws IOException {
        try (Peer one = new Peer();
                Peer other = new Peer()) {
            String home = one.tell("plane home AUTO %d %d".formatted(MEBIBYTE, bytes(term)));
            String far = other.tell("plane far UDP %d %d".formatted(MEBIBYTE, bytes(term)));
            one.tell("peers %s %s".formatted(home, far));
            other.tell("peers %s %s".formatted(home, far));
            other.tell("take PLANE_UDP %s 3".formatted(one.tell("put " + MEBIBYTE)));
            pause(IDLE_SECONDS);
            long before = one.number("cpu");
            long begun = System.nanoTime();
            pause(IDLE_SECONDS);
            double share = (one.number("cpu") - before) / (double) (System.nanoTime() - begun);
            if (json) {
                print(JsonLines.JSON.createObjectNode().put("idleCoreShare", rounded(share)));
            } else {
                say(String.format(Locale.ROOT, "an idle node uses %.1f %% of a core%n", share * 100));
            }
        }
    }

    private void fanOut(int receivers) throws IOException {
        List<Peer> peers = new ArrayList<>();
        try (Peer sender = new Peer()) {
            try {
                String home = sender.tell("plane home AUTO %d %d".formatted(FAN_OUT_BYTES, bytes(term)));
                int port = (int) sender.number("serve-tcp");
                StringBuilder roster = new StringBuilder("peers ").append(home);
                for (int i = 0; i < receivers; i++) {
                    Peer peer = new Peer();
                    peers.add(peer);
                    roster.append(' ')
                            .append(peer.tell("plane r%d IPC %d %d %s"
                                    .formatted(
                                            i,
                                            FAN_OUT_BYTES,
                                            bytes(term),
                                            home.split(" ")[TensorBenchPeer.DRIVER_WORD])));
                    peer.tell("connect-tcp " + port);
                }
                sender.tell(roster.toString());
                for (Peer peer : peers) {
                    peer.tell(roster.toString());
                }
                String ref = sender.tell("put " + FAN_OUT_BYTES);
                List<Double> plane = new ArrayList<>();
                List<Double> tcp = new ArrayList<>();
                for (int round = -1; round < repeats; round++) {
                    double together = together(peers, "take PLANE_IPC %s 1".formatted(ref));
                    double inTurn = inTurn(peers, "take TCP %s 1".formatted(ref));
                    if (round >= 0) {
                        plane.add(together);
                        tcp.add(inTurn);
                    }
                }
                double gigabytes = FAN_OUT_BYTES / 1e9;
                double ratio = median(tcp) / median(plane);
                if (json) {
                    print(JsonLines.JSON
                            .createObjectNode()
                            .put("receivers", receivers)
                            .put("bytes", FAN_OUT_BYTES)
                            .put("planeGigabytesPerSecond", rounded(gigabytes / median(plane)))
                            .put("tcpGigabytesPerSecond", rounded(gigabytes / median(tcp)))
                            .put("ratio", rounded(ratio)));
                } else {
                    say(String.format(
                            Locale.ROOT,
                            "200 MiB to %d processes: %.3f s by one publication, %.3f s by TCP in turn, %.2f times as"
                                    + " fast%n",
                            receivers,
                            median(plane),
                            median(tcp),
                            ratio));
                }
            } finally {
                peers.forEach(Peer::close);
            }
        }
    }

    private static double together(List<Peer> peers, String order) throws IOException {
        long begun = System.nanoTime();
        for (Peer peer : peers) {
            peer.send(order);
        }
        for (Peer peer : peers) {
            peer.answer();
        }
        return (System.nanoTime() - begun) / 1e9;
    }

    private static double inTurn(List<Peer> peers, String order) throws IOException {
        long begun = System.nanoTime();
        for (Peer peer : peers) {
            peer.tell(order);
        }
        return (System.nanoTime() - begun) / 1e9;
    }

    private static void pause(long seconds) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private static long bytes(String size) {
        String number = size.substring(0, size.length() - 1);
        return switch (size.toLowerCase(Locale.ROOT).charAt(size.length() - 1)) {
            case 'k' -> Long.parseLong(number) << 10;
            case 'm' -> Long.parseLong(number) << 20;
            default -> Long.parseLong(size);
        };
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private void say(String line) {
        if (!json) {
            PrintWriter out = spec.commandLine().getOut();
            out.print(line);
            out.flush();
        }
    }

    private void print(ObjectNode figures) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(figures);
        out.flush();
    }

    /** A child process that receives orders. It ends with its input, so it never outlives this one. */
    private static final class Peer implements AutoCloseable {
        private final Process process;
        private final BufferedWriter orders;
        private final BufferedReader answers;

        Peer() throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                    .filter(flag -> !flag.startsWith("-Xmx") && !flag.startsWith("-agentlib"))
                    .forEach(command::add);
            command.addAll(
                    List.of("-Xmx512m", "-cp", System.getProperty("java.class.path"), TensorBenchPeer.class.getName()));
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            orders = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
            answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        void send(String order) throws IOException {
            orders.write(order);
            orders.newLine();
            orders.flush();
        }

        String answer() throws IOException {
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                if (line.startsWith(TensorBenchPeer.MARK)) {
                    return line.substring(TensorBenchPeer.MARK.length());
                }
            }
            throw new CommandFailedException("a process of the benchmark has ended; what it said stands above");
        }

        String tell(String order) throws IOException {
            send(order);
            return answer();
        }

        long number(String order) throws IOException {
            return Long.parseLong(tell(order));
        }

        @Override
        public void close() {
            try {
                orders.close();
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (IOException gone) {
                LOG.debug("process {} has ended by itself", process.pid(), gone);
                process.destroyForcibly();
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
