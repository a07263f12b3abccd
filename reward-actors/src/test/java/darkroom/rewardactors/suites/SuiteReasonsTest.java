package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import darkroom.config.PictureView;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.judge.JudgeTimeoutException;
import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.simulation.SimulatedJudge;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** P-3: a message about an answer or a file has the fault that its reader found, and its place. */
@Timeout(60)
class SuiteReasonsTest {
    @TempDir
    Path folder = Path.of("unset");

    private static JudgeSettings settings(URI url) {
        return new JudgeSettings(url, "", 2, Duration.ofSeconds(20), 1, 100, 0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"score\": [8, 9], \"score\": [1, 1]} | the last }, line 1, column 26: Duplicate field 'score'",
                "{\"score\": [8, 9] | the whole text, line 1, column 17: Unexpected end-of-input",
                "'I say {''score'': [8, 9]}' | the last }, line 1, column 2: Unexpected character (''' (code 39))",
                "{\"score\": [8, 9]} {\"score\": [1, 1]} | the last }, line 1, column 19: Trailing token",
                "8 and 9 | it has no {"
            })
    void an_answer_without_a_readable_object_is_refused_with_the_fault_and_its_place(String text, String why) {
        assertThatThrownBy(() -> ScoreObject.read(text))
                .isInstanceOf(FaultyAnswerException.class)
                .hasMessageStartingWith("no-object: no JSON object (")
                .hasMessageContainingAll(why, ") in: " + text);
    }

    @Test
    void the_fault_of_a_fenced_object_is_that_of_its_text_and_not_of_the_words_around_it() {
        assertThatThrownBy(() -> ScoreObject.read("My decision:\n```json\n{\"score\": [8, 9]\n```"))
                .isInstanceOf(FaultyAnswerException.class)
                .hasMessageContaining("the fenced block, line 2, column 1: Unexpected end-of-input");
    }

    /** A server that answers each path with one text. */
    private static HttpServer server(Map<String, String> texts) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.createContext("/", exchange -> {
            try (exchange) {
                String text = texts.get(exchange.getRequestURI().getPath());
                byte[] bytes = (text == null ? "{}" : text).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(text == null ? 404 : 200, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        });
        server.start();
        return server;
    }

    private static URI url(HttpServer server) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<html> | bad-json: ",
                "[] | bad-shape: the answer is ",
                "{\"data\": []} | bad-shape: there is no text at /data/0/id of {\"data\":[]}",
                "{\"data\": [{\"id\": 7}]} | bad-shape: there is no text at /data/0/id"
            })
    void a_list_of_models_that_is_not_read_is_refused_with_what_is_wrong_in_it(String text, String why)
            throws IOException {
        HttpServer server = server(Map.of("/v1/models", text));
        try {
            assertThatThrownBy(() -> TextJudge.open(settings(url(server)), ScorerAccess.NONE, Duration.ofMillis(1)))
                    .isInstanceOf(JudgeTimeoutException.class)
                    .hasMessageContainingAll(url(server).toString(), "/v1/models", why, "--model");
        } finally {
            server.stop(0);
        }
    }

    /** The token of a server is not repeated with its answer. */
    @Test
    void a_list_of_models_that_repeats_the_token_is_shown_without_it() throws IOException {
        HttpServer server = server(Map.of("/v1/models", "{\"detail\": \"sesame-12345\"}"));
        try {
            assertThatThrownBy(() -> TextJudge.open(
                            settings(url(server)),
                            ScorerAccess.in(Map.of(ScorerAccess.TOKEN, "sesame-12345")),
                            Duration.ofMillis(1)))
                    .isInstanceOf(JudgeTimeoutException.class)
                    .hasMessageContaining("***")
                    .hasMessageNotContaining("sesame");
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ok", "{\"build\": 7}"})
    void a_server_whose_version_is_not_read_is_judged_with_as_one_that_is_not_vllm(String version) throws IOException {
        HttpServer server = server(Map.of("/version", version, "/v1/models", "{\"data\": [{\"id\": \"m\"}]}"));
        try (TextJudge judge = TextJudge.open(settings(url(server)), ScorerAccess.NONE, Duration.ofMillis(1))) {
            assertThat(judge.version()).isEmpty();
            assertThat(judge.model()).isEqualTo("m");
            assertThat(judge.sampling().has("top_k")).isFalse();
        } finally {
            server.stop(0);
        }
    }

    private void assertRefused(byte[] file, String... texts) throws IOException {
        Path place = Files.write(folder.resolve("eval.json"), file);
        Path items = Files.writeString(
                folder.resolve("gedit.jsonl"),
                "{\"key\": \"k0\", \"task_type\": \"ps_human\", \"instruction\": \"do\", \"instruction_language\":"
                        + " \"en\", \"Intersection_exist\": true}\n");
        GEditSuite suite = GEditSuite.read(items, folder, folder, Set.of());
        try (SimulatedJudge server = new SimulatedJudge("", _ -> new SimulatedJudge.Reply.Garbage());
                TextJudge judge = TextJudge.open(settings(server.url()), ScorerAccess.NONE, Duration.ofMillis(1))) {
            assertThatThrownBy(() -> SuiteResult.after(place, suite, judge, PictureView.DISPLAYED))
                    .isInstanceOf(SuiteItemsException.class)
                    .hasMessageContainingAll("eval.json", "--out")
                    .hasMessageContainingAll(texts);
        }
        assertThat(place).as("nothing is written").hasBinaryContent(file);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void an_earlier_result_that_is_not_read_is_refused_with_the_fault_and_its_place() throws IOException {
        assertRefused(utf8("{\n  \"format\": darkroom\n}"), "line 2, column ", "Unrecognized token 'darkroom'");
        assertRefused(utf8("{\"format\": \"darkroom-suite-1\", \"items\": [{"), "line 1, column ", "end-of-input");
        assertRefused(new byte[] {'{', (byte) 0xff, '}'}, "not UTF-8");
        assertRefused(utf8("{}"), "its format is missing, not \"darkroom-suite-1\"");
        assertRefused(utf8("{\"format\": \"darkroom-suite-9\"}"), "its format is \"darkroom-suite-9\"");
    }

    /** No score is defaulted: a text in place of a number is not the score 0. */
    @Test
    void an_earlier_answer_whose_score_is_no_number_is_refused_and_its_item_is_named() throws IOException {
        String head =
                "{\"format\": \"darkroom-suite-1\", \"suite\": \"gedit\", \"judge\": {\"model\": \"%s\", \"deciding\": %s}, "
                        .formatted(
                                SimulatedJudge.MODEL,
                                "{\"temperature\":0.0,\"top_p\":1,\"presence_penalty\":0,\"frequency_penalty\":0}");
        assertRefused(
                utf8(head
                        + "\"items\": [{\"id\": \"ps_human/en/k0\", \"answers\": [{\"digest\": \"d\","
                        + " \"scores\": [9, \"8\"]}]}]}"),
                "is damaged",
                "item \"ps_human/en/k0\"",
                "score \"8\"");
        assertRefused(
                utf8(head + "\"earlier\": [{\"digest\": \"d7\", \"scores\": [null]}]}"),
                "is damaged",
                "earlier answer \"d7\"",
                "score null");
    }
}
