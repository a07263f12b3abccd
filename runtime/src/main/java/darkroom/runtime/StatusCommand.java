package darkroom.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import darkroom.actors.cluster.ClusterStatus;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Poll;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.report.StatusTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows what a cluster is doing; any node can be asked. */
@Command(
        name = "status",
        description = {
            "Shows nodes, workers, leases and progress of a cluster, and who blocks if it stalls.",
            "",
            "Asks a node of this machine; every node knows the whole cluster."
        })
public final class StatusCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(StatusCommand.class);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--node",
            paramLabel = "URL",
            description = "Status page of a node of this machine. Default: that of any process of yours that has one.")
    private @Nullable URI node;

    @Option(names = "--watch", description = "Again and again, until Ctrl-C.")
    private boolean watch;

    @Option(
            names = "--every",
            paramLabel = "SECONDS",
            defaultValue = "2",
            description = "With --watch. Default: ${DEFAULT-VALUE}")
    private int seconds;

    @Option(names = "--json", description = "As JSON, a line each time.")
    private boolean json;

    /** A command that watches ends with Ctrl-C; this is the bound of one that was forgotten. */
    private static final Duration WATCH_MAX = Duration.ofDays(365);

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        StatusTable table = new StatusTable();
        try (HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(StatusPage.ANSWER_WITHIN)
                .build()) {
            var _ = Poll.until(Duration.ofSeconds(Math.max(1, seconds)), WATCH_MAX, () -> {
                String body = ask(http);
                if (json) {
                    out.println(body);
                } else {
                    ClusterStatus status = StatusPage.JSON.readValue(body, ClusterStatus.class);
                    table.lines(status, TextTable.terminalColumns(spec.commandLine()))
                            .forEach(out::println);
                }
                out.flush();
                return !watch;
            });
        }
        return ExitCode.OK.code();
    }

    private String ask(HttpClient http) throws IOException, InterruptedException {
        return ask(
                http,
                node == null
                        ? StatusPage.ofThisMachine().stream()
                                .map(StatusPage.Found::url)
                                .toList()
                        : List.of(node.toString()),
                StatusPage.ANSWER_WITHIN.multipliedBy(2));
    }

    /**
     * Requests all pages at once and returns the first status that arrives, so that a stopped process delays nobody.
     *
     * @param within timeout of each page
     * @throws CommandFailedException if no page returns a status; the message has one line per page
     */
    public static String ask(HttpClient http, List<String> urls, Duration within) throws InterruptedException {
        if (urls.isEmpty()) {
            throw new CommandFailedException(
                    "no process of yours on this machine is a node; start one, or name its page with --node");
        }
        BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
        for (String url : urls) {
            var _ = http.sendAsync(
                            HttpRequest.newBuilder(URI.create(url))
                                    .timeout(within)
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .whenComplete((answer, failure) -> answers.add(
                            answer == null
                                    ? new Answer("", url + ": " + because(failure, within))
                                    : answer.statusCode() == 200
                                            ? new Answer(answer.body(), "")
                                            : new Answer("", url + ": " + message(answer.body()))));
        }
        List<String> failures = new ArrayList<>();
        while (failures.size() < urls.size()) {
            Answer next = answers.take();
            if (next.failure().isEmpty()) {
                return next.status();
            }
            failures.add(next.failure());
        }
        throw new CommandFailedException(String.join("\n", failures));
    }

    /** Result of one request: a status or a failure; the other is empty. */
    private record Answer(String status, String failure) {}

    private static String because(Throwable failure, Duration within) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return switch (cause) {
            case HttpTimeoutException _ ->
                "the process did not answer within %d s: it is stopped or overloaded".formatted(within.toSeconds());
            case ConnectException _ -> "nobody listens there: the process has ended, or is not a node";
            default ->
                "the page could not be read: "
                        + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
        };
    }

    private static String message(String body) {
        try {
            return StatusPage.JSON.readTree(body).path("error").asText(body);
        } catch (JsonProcessingException e) {
            LOG.debug("an answer is not JSON: {}", body, e);
            return body;
        }
    }
}
