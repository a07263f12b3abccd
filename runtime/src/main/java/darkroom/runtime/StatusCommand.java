package darkroom.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import darkroom.actors.ClusterStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows what a cluster is doing, asked at any node. */
@Command(
        name = "status",
        description = {
            "Shows nodes, workers, leases and progress of a cluster, and who blocks if it stalls.",
            "",
            "Asks a node of this machine; every node knows the whole cluster."
        })
final class StatusCommand implements Callable<Integer> {
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

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        CountDownLatch never = new CountDownLatch(1);
        StatusTable table = new StatusTable();
        try (HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(StatusPage.ANSWER_WITHIN)
                .build()) {
            do {
                String body = ask(http);
                if (json) {
                    out.println(body);
                } else {
                    ClusterStatus status = StatusPage.JSON.readValue(body, ClusterStatus.class);
                    table.lines(status).forEach(out::println);
                }
                out.flush();
            } while (watch && !never.await(Math.max(1, seconds), TimeUnit.SECONDS));
        }
        return ExitCode.OK.code();
    }

    private String ask(HttpClient http) throws IOException, InterruptedException {
        List<String> urls = node == null
                ? StatusPage.ofThisMachine().stream().map(StatusPage.Found::url).toList()
                : List.of(node.toString());
        String last = "no process of yours on this machine is a node; start one, or name its page with --node";
        for (String url : urls) {
            try {
                HttpResponse<String> answer = http.send(
                        HttpRequest.newBuilder(URI.create(url))
                                .timeout(StatusPage.ANSWER_WITHIN.multipliedBy(2))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return answer.body();
                }
                last = url + ": " + message(answer.body());
            } catch (IOException e) {
                last = url + " does not answer: " + e;
            }
        }
        throw new CommandFailedException(last);
    }

    private static String message(String body) {
        try {
            return StatusPage.JSON.readTree(body).path("error").asText(body);
        } catch (JsonProcessingException e) {
            LOG.debug("an answer is no JSON: {}", body, e);
            return body;
        }
    }
}
