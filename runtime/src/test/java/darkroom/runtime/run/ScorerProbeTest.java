package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import darkroom.config.Recipes;
import darkroom.rewardactors.simulation.SimulatedScorer;
import darkroom.runtime.Darkroom;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.cluster.CommandProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** U1: a scorer that no retry fixes ends {@code train} before anything is written, with advice. */
@Timeout(60)
class ScorerProbeTest {
    private static final String THINKING =
            "{\"id\":\"\",\"choices\":[{\"index\":0,\"message\":{\"content\":\"<think>\"},\"logprobs\":{\"content\":[{\"token\":"
                + "\"<think>\",\"logprob\":-0.01,\"top_logprobs\":[{\"token\":\"<think>\",\"logprob\":-0.01}]}]}}]}";

    private final HttpServer server;
    private final StringWriter err = new StringWriter();

    @TempDir
    Path directory = Path.of("unset");

    ScorerProbeTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    /** Starts a server that lists a model, and answers every question with this response. */
    private String answering(int status, String body) {
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                boolean lists = exchange.getRequestURI().getPath().equals("/v1/models");
                boolean asks = exchange.getRequestURI().getPath().equals("/v1/chat/completions");
                byte[] said = (lists ? "{\"data\":[{\"id\":\"judge\"}]}" : body).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                if (status == 302 && asks) {
                    exchange.getResponseHeaders().set("Location", "https://elsewhere/v1/chat/completions");
                }
                exchange.sendResponseHeaders(lists ? 200 : asks ? status : 404, said.length == 0 ? -1 : said.length);
                exchange.getResponseBody().write(said);
            }
        });
        server.start();
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private int train(String url, String... more) {
        CommandLine commands = Darkroom.commandLine("train");
        commands.setOut(new PrintWriter(new StringWriter(), true));
        commands.setErr(new PrintWriter(err, true));
        List<String> arguments = new java.util.ArrayList<>(List.of(
                "train", "--scorer", url, "--out", directory.resolve("run").toString()));
        arguments.addAll(List.of(more));
        return commands.execute(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "401 | {\"error\":{\"message\":\"invalid key\"}} | DARKROOM_SCORER_TOKEN",
                "403 | '' | DARKROOM_SCORER_TOKEN",
                "404 | {\"error\":{\"message\":\"the model judge does not exist\"}} | scoring.model",
                "302 | '' | https://elsewhere/v1/chat/completions",
                "400 | {\"error\":{\"message\":\"At most 1 image(s) may be provided in one request.\"}} |"
                        + " --limit-mm-per-prompt",
                "400 | {\"error\":{\"message\":\"System role not supported\"}} | scoring.system",
                "400 | {\"error\":{\"message\":\"judge is not a multimodal model\"}} | vision-language",
                "501 | {\"detail\":\"no\"} | /v1/chat/completions"
            })
    void a_scorer_that_refuses_ends_the_command_with_a_remedy_before_a_directory_is_made(
            int status, String body, String remedy) {
        assertThat(train(answering(status, body))).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString())
                .contains("cannot score: http-" + status, remedy)
                .doesNotContain("null");
        assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void a_thinking_model_is_told_with_the_methods_that_suit_it() {
        assertThat(train(answering(200, THINKING))).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("no-labels", "Instruct", "score-sampling-cot");
        assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void a_scorer_that_is_not_there_yet_is_a_warning() throws Exception {
        int port = CommandProcess.freePort();
        assertThat(warnings("http://127.0.0.1:" + port)).singleElement().satisfies(warning -> assertThat(warning)
                .contains("does not score now: refused: no connection: ", "asks again", "listens")
                .doesNotContain("null"));
    }

    /** F10. */
    @Test
    void a_scorer_that_does_not_look_at_the_pictures_is_a_warning_that_names_it() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.plain(_ -> Duration.ZERO)) {
            assertThat(warnings(scorer.url().toString())).isEmpty();
            scorer.ignorePictures(true);
            assertThat(warnings(scorer.url().toString())).singleElement().satisfies(warning -> assertThat(warning)
                    .contains(scorer.url().toString(), "simulated", "same score", "does not look at the pictures"));
        }
    }

    private static List<String> warnings(String url) {
        return ScorerProbe.require(
                Recipes.load("embedded-demo", List.of("scoring.endpoints=[\"" + url + "\"]")), Map.of());
    }
}
