package darkroom.runtime.cluster;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/** A node of this machine that accepts fault orders at its status page. */
public record FaultPort(HttpClient http, URI page) {
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(3);

    /**
     * Returns the port of a node.
     *
     * @param status URL of a node's status page
     * @throws CommandFailedException if the URL is not one
     */
    public static FaultPort at(HttpClient http, String status) {
        URI page = URI.create(status.strip());
        if (!"http".equals(page.getScheme())) {
            throw new CommandFailedException("\"%s\" is no URL of a status page".formatted(status), ExitCode.USAGE);
        }
        return new FaultPort(http, page.resolve(StatusPage.FAULTS));
    }

    /**
     * Injects a fault.
     *
     * @return number of the fault at the node
     */
    public int inject(FaultOrder order) throws IOException, InterruptedException {
        return ask(HttpRequest.newBuilder(page)
                        .POST(HttpRequest.BodyPublishers.ofString(StatusPage.JSON.writeValueAsString(order))))
                .path("id")
                .asInt();
    }

    public List<NodeFaults.Seen> list() throws IOException, InterruptedException {
        return seen(ask(HttpRequest.newBuilder(page).GET()));
    }

    /**
     * Ends faults.
     *
     * @param id of a fault; 0 for all
     */
    public List<NodeFaults.Seen> heal(int id) throws IOException, InterruptedException {
        return seen(ask(HttpRequest.newBuilder(id == 0 ? page : URI.create(page + "/" + id))
                .DELETE()));
    }

    private static List<NodeFaults.Seen> seen(JsonNode answer) {
        return StatusPage.JSON.convertValue(answer, new TypeReference<>() {});
    }

    private JsonNode ask(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> answer;
        try {
            answer = http.send(request.timeout(ANSWER_WITHIN).build(), HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException e) {
            throw new CommandFailedException(
                    "nobody answers at %s: the node has ended, or is ending".formatted(page), e);
        }
        if (answer.statusCode() == 404) {
            throw new CommandFailedException(
                    "%s obeys no orders: start the node with --set faults.enabled=true".formatted(page));
        }
        JsonNode body = StatusPage.JSON.readTree(answer.body());
        if (answer.statusCode() != 200) {
            throw new CommandFailedException(body.path("error").asText("status " + answer.statusCode()));
        }
        return body;
    }
}
