package darkroom.runtime.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.http.HttpAnswer;
import darkroom.rewardactors.http.HttpBounds;
import darkroom.rewardactors.http.HttpRouter;
import darkroom.rewardactors.http.RefusedRequestException;
import darkroom.rewardactors.http.RoutedRequest;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import darkroom.tensors.AliveFile;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
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
    private static final int REQUESTS_MAX = 16;
    private static final int ORDER_BYTES_MAX = 1 << 16;
    private static final HttpBounds BOUNDS = new HttpBounds(
            REQUESTS_WAITING_MAX, REQUESTS_MAX, ORDER_BYTES_MAX, REQUESTS_MAX * ORDER_BYTES_MAX, Duration.ofMinutes(1));
    public static final JsonMapper JSON =
            JsonMapper.builder().addModule(new Jdk8Module()).build();

    private final HttpRouter router;
    private final AliveFile alive;
    private final Path file;

    private StatusPage(HttpRouter router, AliveFile alive, Path file) {
        this.router = router;
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
        HttpRouter.Builder routes = HttpRouter.named("status-page", BOUNDS)
                .errors(refused -> JSON.createObjectNode().put("error", refused.text()))
                .route("GET", "/status", _ -> status(system.get(), registry.get(), answerWithin));
        if (faults.enabled()) {
            routes.route("GET", FAULTS, _ -> json(faults.list()))
                    .route("POST", FAULTS, request -> inject(request, faults))
                    .route("DELETE", FAULTS + "/*", request -> heal(request, faults));
        }
        HttpRouter router = bound(routes, port);
        String name = StatusDirectory.name();
        AliveFile alive = AliveFile.create(pages.resolve(name + StatusDirectory.ALIVE));
        StatusPage page = new StatusPage(router, alive, pages.resolve(name + StatusDirectory.PAGE));
        Path part = pages.resolve(name + ".part"); // nobody reads half of it
        Files.write(part, StatusDirectory.lines(page.url()));
        Files.move(part, page.file, StandardCopyOption.ATOMIC_MOVE);
        return page;
    }

    private static HttpRouter bound(HttpRouter.Builder routes, int port) throws IOException {
        try {
            return routes.start(port);
        } catch (BindException e) {
            throw new CommandFailedException(
                    "cluster.status-port=%d is in use on this machine (%s). Choose another port, or 0 for a free one."
                            .formatted(port, ErrorReason.of(e)));
        }
    }

    /** Returns the URL of the page, reachable by processes of this machine only. */
    public String url() {
        return router.url() + "/status";
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

    private static HttpAnswer status(
            @Nullable ActorSystem<?> system, @Nullable ActorRef<NodeRegistry.Command> registry, Duration within)
            throws IOException, RefusedRequestException, InterruptedException {
        if (system == null || registry == null) {
            throw new RefusedRequestException(503, "", "no control node is known here yet");
        }
        CompletionStage<ClusterStatus> asked =
                AskPattern.ask(registry, NodeRegistry.GetStatus::new, within, system.scheduler());
        try {
            return json(asked.toCompletableFuture().get(2 * within.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException | ExecutionException e) {
            throw new RefusedRequestException(
                    504,
                    "",
                    "the control node did not answer within %d ms: it is stopped, overloaded or gone"
                            .formatted(within.toMillis()));
        }
    }

    private static HttpAnswer inject(RoutedRequest request, NodeFaults faults)
            throws IOException, RefusedRequestException {
        try {
            return json(Map.of("id", faults.inject(JSON.readValue(request.body(), FaultOrder.class))));
        } catch (JsonProcessingException e) {
            throw new RefusedRequestException(400, "", e.getOriginalMessage());
        } catch (IllegalArgumentException e) {
            throw new RefusedRequestException(400, "", ErrorReason.of(e));
        }
    }

    private static HttpAnswer heal(RoutedRequest request, NodeFaults faults)
            throws IOException, RefusedRequestException {
        String id = request.rest();
        if (!id.matches("\\d{0,9}")) {
            throw new RefusedRequestException(400, "id", id + " is no number of a fault");
        }
        synchronized (faults) { // as inject
            faults.heal(id.isEmpty() ? 0 : Integer.parseInt(id));
        }
        return json(faults.list());
    }

    private static HttpAnswer json(Object content) throws IOException {
        return HttpAnswer.json(200, JSON.writeValueAsBytes(content));
    }

    @Override
    public void close() {
        router.close();
        try {
            Files.deleteIfExists(file);
            alive.close();
        } catch (IOException e) {
            LOG.debug("{} stays", file, e);
        }
    }
}
