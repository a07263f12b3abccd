package darkroom.rewardactors.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.client.ScorerClientTest;
import darkroom.rewardactors.client.TestScoring;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the embedded judge's endpoint, with the client for any scorer, and by hand. */
@Timeout(60)
class JudgeEndpointTest {
    private static final JsonMapper JSON = new JsonMapper();

    private final PixelJudge judge = new PixelJudge();
    private final JudgeEndpoint endpoint;
    private final HttpClient http = HttpClient.newHttpClient();

    JudgeEndpointTest() throws IOException {
        endpoint = new JudgeEndpoint(judge, "judge", 0);
    }

    @AfterEach
    void stop() {
        http.close();
        endpoint.close();
    }

    /** A judge whose logits are a function of the edit's last blue value; records its questions. */
    private static final class PixelJudge implements JudgeModel {
        private final List<Integer> batches = new CopyOnWriteArrayList<>();
        private final List<Question> questions = new CopyOnWriteArrayList<>();
        private volatile @Nullable Throwable failure;
        private volatile CountDownLatch gate = new CountDownLatch(0);

        static float[] logits(int blue) {
            float[] logits = new float[6];
            for (int k = 0; k < 6; k++) {
                logits[k] = (float) Math.sin(blue * 1.7 + k) * 3;
            }
            return logits;
        }

        @Override
        public int batchMax() {
            return 8;
        }

        @Override
        public List<float[]> judge(List<Question> asked) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            switch (failure) {
                case RuntimeException exception -> throw exception;
                case Error error -> throw error;
                case null, default -> {}
            }
            batches.add(asked.size());
            questions.addAll(asked);
            return asked.stream()
                    .map(question -> logits(question.edited().getRGB(1, 0) & 0xff))
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SCORE_LOGIT", "SCORE_LOGIT_COT"})
    void theScoreByLogitsIsTheExpectationOfTheJudgesSoftmax(Method method) throws Exception {
        for (int i = 0; i < 8; i++) {
            double[] p = softmax(PixelJudge.logits(i));
            double expected = 0;
            for (int k = 0; k < 6; k++) {
                expected += k * p[k] / 5;
            }
            Scored scored = (Scored) ask(method, i);
            assertThat(scored.score()).isCloseTo(expected, within(1e-6));
            assertThat(scored.labelMass()).isCloseTo(1, within(1e-6));
            assertThat(scored.scorer()).contains(" judge [prompt ");
        }
    }

    /** P-9: only admitted requests are in memory, however many are sent at the same time. */
    @Test
    void a_question_beyond_the_admitted_ones_is_refused_before_its_body_is_read() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < JudgeEndpoint.IN_FLIGHT_MAX; i++) {
                slow.add(asking(100_000));
            }
            ScorerClientTest.await("one more is refused", () -> status() == 503);
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
        ScorerClientTest.await("there is room again", () -> status() == 400);
    }

    @Test
    void questions_that_together_are_larger_than_the_room_for_bodies_are_refused() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < JudgeEndpoint.BODY_BYTES_IN_FLIGHT_MAX / JudgeEndpoint.REQUEST_BYTES_MAX; i++) {
                slow.add(asking(JudgeEndpoint.REQUEST_BYTES_MAX));
            }
            ScorerClientTest.await("one more is refused", () -> status() == 503);
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
        ScorerClientTest.await("there is room again", () -> status() == 400);
    }

    /** Sends the head and one byte of a question. */
    private Socket asking(int length) throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), endpoint.url().getPort());
        socket.getOutputStream()
                .write(("POST /v1/chat/completions HTTP/1.1\r\nHost: judge\r\nContent-Length: " + length + "\r\n\r\n{")
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Status of the answer to an invalid question. */
    private int status() {
        try {
            return http.send(
                            HttpRequest.newBuilder(endpoint.url().resolve("/v1/chat/completions"))
                                    .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return -1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void yesIsAsLikelyAsTheUpperThreeLabels() throws Exception {
        for (int i = 0; i < 8; i++) {
            double[] p = softmax(PixelJudge.logits(i));
            assertThat(((Scored) ask(Method.YES_NO_LOGIT, i)).score()).isCloseTo(p[3] + p[4] + p[5], within(1e-6));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SCORE_SAMPLING", "SCORE_SAMPLING_COT"})
    void aSampledScoreIsALabelAndTheSameForTheSameQuestion(Method method) throws Exception {
        List<Double> generated = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            double score = ((Scored) ask(method, i)).score();
            assertThat(score * 5).isCloseTo(Math.rint(score * 5), within(1e-12));
            assertThat(((Scored) ask(method, i)).score()).isEqualTo(score);
            generated.add(score);
        }
        assertThat(generated.stream().distinct()).hasSizeGreaterThan(2);
    }

    @Test
    void questionsThatArriveTogetherAreJudgedTogetherAndEachGetsItsOwnAnswer() throws Exception {
        judge.gate = new CountDownLatch(1);
        List<CompletableFuture<ScoreOutcome>> asked = new ArrayList<>();
        try (ScorerClient client = client(Method.SCORE_LOGIT, 1, 64)) {
            for (int i = 0; i < 40; i++) {
                asked.add(client.score(ScorerClientTest.request(ScorerClientTest.edit(i)))
                        .toCompletableFuture());
            }
            judge.gate.countDown();
            for (int i = 0; i < 40; i++) {
                double alone = ((Scored) ask(Method.SCORE_LOGIT, i)).score();
                Scored together = (Scored) asked.get(i).get(30, TimeUnit.SECONDS);
                assertThat(together.score()).isEqualTo(alone);
            }
        }
        assertThat(judge.batches).allMatch(size -> size <= judge.batchMax());
        assertThat(judge.batches.stream().mapToInt(size -> size).max().orElse(0))
                .isGreaterThan(1);
    }

    @Test
    void theJudgeSeesTheInstructionAndTheReference() throws Exception {
        try (ScorerClient client = client(Method.SCORE_LOGIT, 1, 4)) {
            PngImage reference = PngImage.ofPixels(1, 1, new byte[] {9, 9, 9});
            ScoreRequest request = new ScoreRequest(
                    "it", ScorerClientTest.source(), ScorerClientTest.edit(1), reference, "wear the hat", "");
            assertThat(client.score(request).toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .isInstanceOf(Scored.class);
        }
        JudgeModel.Question question = judge.questions.getFirst();
        assertThat(question.instruction()).isEqualTo("wear the hat");
        assertThat(question.source().getWidth()).isEqualTo(2);
        assertThat(Objects.requireNonNull(question.reference()).getRGB(0, 0) & 0xff)
                .isEqualTo(9);
    }

    @Test
    void aJudgeThatFailsLeavesTheEditUnscoredAndServesTheNext() throws Exception {
        judge.failure = new IllegalStateException("no more memory for pictures");
        assertThat(((Unscored) ask(Method.SCORE_LOGIT, 1)).reason())
                .startsWith("http-500")
                .contains("no more memory");
        judge.failure = null;
        assertThat(ask(Method.SCORE_LOGIT, 1)).isInstanceOf(Scored.class);
    }

    @Test
    void aJudgeWhoseThreadDiedAnswersEveryLaterQuestionAtOnceWithAnError() throws Exception {
        judge.failure = new LinkageError("the native library is gone");
        assertThat(((Unscored) ask(Method.SCORE_LOGIT, 1)).reason()).startsWith("http-500");
        assertThat(((Unscored) ask(Method.SCORE_LOGIT, 2)).reason()).startsWith("http-500");
    }

    @Test
    void modelsAndHealthAreToldAsVllmTellsThem() throws Exception {
        HttpResponse<String> models = get("/v1/models");
        assertThat(models.statusCode()).isEqualTo(200);
        assertThat(JSON.readTree(models.body()).at("/data/0/id").textValue()).isEqualTo("judge");
        assertThat(get("/health").statusCode()).isEqualTo(200);
        assertThat(get("/v2/models").statusCode()).isEqualTo(404);
        assertThat(get("/v1/chat/completions").statusCode()).isEqualTo(405);
    }

    @Test
    void anAnswerHasTheFieldsThatAClientOfVllmReads() throws Exception {
        HttpResponse<String> answer = post(question().toString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        JsonNode json = JSON.readTree(answer.body());
        assertThat(json.get("object").textValue()).isEqualTo("chat.completion");
        assertThat(json.get("model").textValue()).isEqualTo("judge");
        JsonNode choice = json.at("/choices/0");
        assertThat(choice.at("/message/role").textValue()).isEqualTo("assistant");
        assertThat(choice.at("/message/content").textValue()).matches("[0-5]");
        JsonNode position = choice.at("/logprobs/content/0");
        assertThat(position.get("token")).isEqualTo(choice.at("/message/content"));
        assertThat(position.get("top_logprobs")).hasSize(3);
        assertThat(position.at("/top_logprobs/0/logprob").doubleValue())
                .isGreaterThanOrEqualTo(position.at("/top_logprobs/1/logprob").doubleValue());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/model | \"gpt\" | 404 | there is no model",
                "/n | 2 | 400 | n=1",
                "/stream | true | 400 | stream=false",
                "/max_tokens | 0 | 400 | max_tokens=0",
                "/temperature | 3 | 400 | temperature=3.0",
                "/top_logprobs | 21 | 400 | top_logprobs=21",
                "/logprobs | false | 400 | needs logprobs=true",
                "/messages | [] | 400 | 0 images",
                "/messages/0/role | \"system\" | 400 | 0 images",
                "/messages/0/content/2/text | \"no line for it\" | 400 | Instruction",
                "/messages/0/content/1/type | \"video\" | 400 | neither text nor image_url",
                "/messages/0/content/1 | {\"type\": \"text\", \"text\": \"\"} | 400 | 1 images",
                "/messages/0/content/1/image_url/url | \"http://elsewhere/cat.png\" | 400 | only data:image",
                "/messages/0/content/1/image_url/url | \"data:image/png;base64,%%%\" | 400 | not base64",
                "/messages/0/content/1/image_url/url | \"data:image/png;base64,AAAA\" | 400 | no known format",
                "/messages/0/content/1/image_url/url | \"data:image/png;base64,iVBORw0KGgo=\" | 400 | cannot be decoded"
            })
    void aBadRequestIsToldWhichFieldAndWhy(String pointer, String value, int status, String reason) throws Exception {
        ObjectNode question = question();
        set(question, pointer, JSON.readTree(value));
        HttpResponse<String> answer = post(question.toString());
        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(JSON.readTree(answer.body()).at("/error/message").textValue())
                .contains(reason);
        assertThat(judge.questions).isEmpty();
    }

    @Test
    void whatIsNotJsonIsToldSo() throws Exception {
        HttpResponse<String> answer = post("{\"model\": ");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("not JSON");
        assertThat(post("[1]").statusCode()).isEqualTo(400);
    }

    @Test
    void aPictureThatIsTooLargeIsRefusedBeforeItIsDecoded() throws Exception {
        ObjectNode question = question();
        PngImage large = PngImage.ofPixels(2049, 1, new byte[3 * 2049]);
        set(
                question,
                "/messages/0/content/1/image_url/url",
                JSON.getNodeFactory().textNode(large.toDataUrl()));
        assertThat(post(question.toString()).body()).contains("2048x2048");
    }

    @Test
    void onlyThisMachineIsServed() throws Exception {
        int port = endpoint.url().getPort();
        assertThat(InetAddress.getByName(endpoint.url().getHost()).isLoopbackAddress())
                .isTrue();
        for (NetworkInterface network : NetworkInterface.networkInterfaces().toList()) {
            for (InetAddress address : network.inetAddresses().toList()) {
                if (!address.isLoopbackAddress() && !address.isLinkLocalAddress()) {
                    String host = address.getHostAddress();
                    URI outside = URI.create(String.format(
                            Locale.ROOT, host.contains(":") ? "http://[%s]:%d" : "http://%s:%d", host, port));
                    try (ScorerClient client = new ScorerClient(
                            outside,
                            ScorerClientTest.settings(Method.SCORE_LOGIT, Duration.ofSeconds(2), 1),
                            ScorerAccess.NONE)) {
                        ScoreRequest request = ScorerClientTest.request(ScorerClientTest.edit(0));
                        assertThat(client.score(request).toCompletableFuture().get(20, TimeUnit.SECONDS))
                                .isInstanceOf(Unscored.class);
                    }
                }
            }
        }
    }

    @Test
    void aClosedEndpointIsUnscored() throws Exception {
        endpoint.close();
        assertThat(ask(Method.SCORE_LOGIT, 0)).isInstanceOf(Unscored.class);
    }

    private static ObjectNode question() {
        ObjectNode question = JSON.createObjectNode().put("model", "judge").put("max_tokens", 1);
        question.put("logprobs", true).put("top_logprobs", 3).put("temperature", 1.0);
        ArrayNode content =
                question.putArray("messages").addObject().put("role", "user").putArray("content");
        for (PngImage image : List.of(ScorerClientTest.source(), ScorerClientTest.edit(1))) {
            content.addObject().put("type", "image_url").putObject("image_url").put("url", image.toDataUrl());
        }
        content.addObject().put("type", "text").put("text", "Rate it.\nInstruction: make it blue\n");
        return question;
    }

    private static void set(JsonNode root, String pointer, JsonNode value) {
        int slash = pointer.lastIndexOf('/');
        String last = pointer.substring(slash + 1);
        switch (root.at(pointer.substring(0, slash))) {
            case ArrayNode array -> array.set(Integer.parseInt(last), value);
            case ObjectNode object -> object.set(last, value);
            case JsonNode other -> throw new IllegalArgumentException(pointer + " is in " + other);
        }
    }

    private ScoreOutcome ask(Method method, int edit) throws Exception {
        try (ScorerClient client = client(method, 1, 4)) {
            return client.score(ScorerClientTest.request(ScorerClientTest.edit(edit)))
                    .toCompletableFuture()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private ScorerClient client(Method method, int attempts, int concurrency) {
        return new ScorerClient(
                endpoint.url(),
                TestScoring.with(
                        TestScoring.method(method),
                        "concurrency=" + concurrency,
                        "timeout=20s",
                        "attempts=" + attempts,
                        "canary-every=50ms"),
                ScorerAccess.NONE);
    }

    private HttpResponse<String> get(String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(endpoint.url().resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String body) throws Exception {
        return http.send(
                HttpRequest.newBuilder(endpoint.url().resolve("/v1/chat/completions"))
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static double[] softmax(float[] logits) {
        double[] p = new double[logits.length];
        double sum = 0;
        for (int k = 0; k < p.length; k++) {
            p[k] = Math.exp(logits[k]);
            sum += p[k];
        }
        for (int k = 0; k < p.length; k++) {
            p[k] /= sum;
        }
        return p;
    }
}
