package darkroom.runtime.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.config.ErrorReason;
import darkroom.config.HostPort;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import darkroom.tensors.AliveFile;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code GET /status} on loopback: the state of the whole cluster, requested from the node registry, as JSON. Every
 * node has one, so that {@code darkroom status} works from any of them. The pages of this machine's processes are found
 * by files in a directory of the user.
 */
public final class StatusPage implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StatusPage.class);
    static final String FAULTS = "/faults";
    public static final Duration ANSWER_WITHIN = Duration.ofSeconds(3);
    private static final int REQUESTS_WAITING_MAX = 16;
    private static final int ORDER_BYTES_MAX = 1 << 16;
    public static final JsonMapper JSON =
            JsonMapper.builder().addModule(new Jdk8Module()).build();

    private final HttpServer server;
    private final ExecutorService threads;
    private final AliveFile alive;
    private final Path file;

    private StatusPage(HttpServer server, ExecutorService threads, AliveFile alive, Path file) {
        this.server = server;
        this.threads = threads;
        this.alive = alive;
        this.file = file;
    }

    /**
     * Opens the page.
     *
     * @param port on loopback; 0 takes a free one
     * @param system the asking system; null until it exists
     * @param registry the node registry to ask; null while it is unknown
     * @param faults injected by {@code POST /faults}, listed by {@code GET}, ended by {@code DELETE}; if they are
     *     enabled
     */
    public static StatusPage open(
            int port,
            Supplier<? extends @Nullable ActorSystem<?>> system,
            Supplier<? extends @Nullable ActorRef<NodeRegistry.Command>> registry,
            NodeFaults faults)
            throws IOException {
        return open(port, system, registry, faults, StatusDirectory.of(System.getenv()), ANSWER_WITHIN);
    }

    /**
     * Opens the page.
     *
     * @param directory receives the file with its address
     * @param answerWithin time limit for the node registry
     */
    static StatusPage open(
            int port,
            Supplier<? extends @Nullable ActorSystem<?>> system,
            Supplier<? extends @Nullable ActorRef<NodeRegistry.Command>> registry,
            NodeFaults faults,
            StatusDirectory directory,
            Duration answerWithin)
            throws IOException {
        Path pages = directory.make();
        HttpServer server = bound(port);
        ExecutorService threads = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("status-page").factory());
        server.setExecutor(threads);
        server.createContext("/status", exchange -> answer(exchange, system.get(), registry.get(), answerWithin));
        if (faults.enabled()) {
            server.createContext(FAULTS, exchange -> faults(exchange, faults));
        }
        server.start();
        String name = StatusDirectory.name();
        AliveFile alive = AliveFile.create(pages.resolve(name + StatusDirectory.ALIVE));
        StatusPage page = new StatusPage(server, threads, alive, pages.resolve(name + StatusDirectory.PAGE));
        Path part = pages.resolve(name + ".part"); // nobody reads half of it
        Files.write(part, StatusDirectory.lines(page.url()));
        Files.move(part, page.file, StandardCopyOption.ATOMIC_MOVE);
        return page;
    }

    private static HttpServer bound(int port) throws IOException {
        try {
            return HttpServer.create(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port), REQUESTS_WAITING_MAX);
        } catch (BindException e) {
            throw new CommandFailedException(
                    "cluster.status-port=%d is in use on this machine (%s). Choose another port, or 0 for a free one."
                            .formatted(port, ErrorReason.of(e)));
        }
    }

    /** Returns the URL of the page, reachable by processes of this machine only. */
    public String url() {
        return "http://"
                + new HostPort(
                        server.getAddress().getAddress().getHostAddress(),
                        server.getAddress().getPort())
                + "/status";
    }

    /**
     * Returns the page of a living process of this user on this machine and in this process namespace, if it has one
     * yet.
     */
    public static Optional<String> ofProcess(long pid) {
        return StatusDirectory.of(System.getenv()).page(pid);
    }

    /**
     * A process whose page can be reached from here.
     *
     * @param pid its number, in its own process namespace
     * @param process whether that is the namespace of this process
     */
    public record Found(long pid, String url, boolean process) {}

    /**
     * Returns the pages of living processes of this user that are reached by this process's loopback, the youngest file
     * first. Removes files that dead processes have left.
     */
    public static List<Found> ofThisMachine() throws IOException {
        return StatusDirectory.of(System.getenv()).pages();
    }

    private static void answer(
            HttpExchange exchange,
            @Nullable ActorSystem<?> system,
            @Nullable ActorRef<NodeRegistry.Command> registry,
            Duration within)
            throws IOException {
        try (exchange) {
            if (system == null || registry == null) {
                send(exchange, 503, Map.of("error", "no control node is known here yet"));
                return;
            }
            CompletionStage<ClusterStatus> asked =
                    AskPattern.ask(registry, NodeRegistry.GetStatus::new, within, system.scheduler());
            try { // nested: a catch of the outer try finds the exchange closed
                send(exchange, 200, asked.toCompletableFuture().get(2 * within.toMillis(), TimeUnit.MILLISECONDS));
            } catch (TimeoutException | ExecutionException e) {
                send(
                        exchange,
                        504,
                        Map.of(
                                "error",
                                "the control node did not answer within %d ms: it is stopped, overloaded or gone"
                                        .formatted(within.toMillis())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void faults(HttpExchange exchange, NodeFaults faults) throws IOException {
        try (exchange) {
            try {
                send(exchange, 200, obeyed(exchange, faults));
            } catch (JsonProcessingException e) {
                send(exchange, 400, Map.of("error", e.getOriginalMessage()));
            } catch (IllegalArgumentException e) {
                send(exchange, 400, Map.of("error", ErrorReason.of(e)));
            }
        }
    }

    private static Object obeyed(HttpExchange exchange, NodeFaults faults) throws IOException {
        return switch (exchange.getRequestMethod()) {
            case "GET" -> faults.list();
            case "POST" -> {
                byte[] order = exchange.getRequestBody().readNBytes(ORDER_BYTES_MAX);
                yield Map.of("id", faults.inject(JSON.readValue(order, FaultOrder.class)));
            }
            case "DELETE" -> {
                String id = exchange.getRequestURI()
                        .getPath()
                        .substring(FAULTS.length())
                        .replace("/", "");
                faults.heal(id.isEmpty() ? 0 : Integer.parseInt(id));
                yield faults.list();
            }
            default -> throw new IllegalArgumentException("GET, POST and DELETE are known here");
        };
    }

    private static void send(HttpExchange exchange, int code, Object body) throws IOException {
        byte[] bytes;
        try {
            bytes = JSON.writeValueAsString(body).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IOException(e);
        }
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
        try {
            Files.deleteIfExists(file);
            alive.close();
        } catch (IOException e) {
            LOG.debug("{} stays", file, e);
        }
    }
}
