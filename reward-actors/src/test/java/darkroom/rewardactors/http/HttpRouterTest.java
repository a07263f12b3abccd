package darkroom.rewardactors.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.rewardactors.client.ScorerClientTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class HttpRouterTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int REQUESTS_MAX = 4;
    private static final int BYTES_MAX = 1000;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final CountDownLatch gate = new CountDownLatch(1);
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final AtomicInteger begun = new AtomicInteger();
    private final HttpRouter router;

    HttpRouterTest() throws IOException {
        router = router(Duration.ofSeconds(20));
    }

    private HttpRouter router(Duration answerWithin) throws IOException {
        HttpBounds bounds = new HttpBounds(64, REQUESTS_MAX, BYTES_MAX, 2 * BYTES_MAX, answerWithin);
        return HttpRouter.named("test", bounds)
                .route("GET", "/text", _ -> HttpAnswer.of(200, "hello".getBytes(StandardCharsets.UTF_8)))
                .route("PUT", "/text", _ -> HttpAnswer.of(204, new byte[0]))
                .route("POST", "/echo", request -> HttpAnswer.of(200, request.body()))
                .route(
                        "DELETE",
                        "/below/*",
                        request -> HttpAnswer.of(200, request.rest().getBytes(StandardCharsets.UTF_8)))
                .route("GET", "/fails", _ -> {
                    throw new IllegalStateException("secret of the handler");
                })
                .route("GET", "/fails-as-an-error", _ -> {
                    throw new LinkageError("secret of the handler");
                })
                .route("GET", "/refuses", _ -> {
                    throw new RefusedRequestException(418, "pot", "this is a teapot");
                })
                .route("POST", "/waits", _ -> {
                    begun.incrementAndGet();
                    try {
                        gate.await();
                    } catch (InterruptedException e) {
                        interrupted.countDown();
                        throw e;
                    }
                    return HttpAnswer.of(200, new byte[0]);
                })
                .route("POST", "/ignores-interrupts", _ -> {
                    begun.incrementAndGet();
                    boolean open = false;
                    while (!open) {
                        try {
                            gate.await();
                            open = true;
                        } catch (InterruptedException e) {
                            interrupted.countDown();
                        }
                    }
                    return HttpAnswer.of(200, new byte[0]);
                })
                .start(0);
    }

    @AfterEach
    void stop() {
        gate.countDown();
        router.close();
        http.close();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(router.url().resolve(path));
    }

    private HttpResponse<String> sent(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private CompletableFuture<HttpResponse<String>> begun(HttpRouter at, String path) {
        return http.sendAsync(
                HttpRequest.newBuilder(at.url().resolve(path))
                        .POST(BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static JsonNode error(HttpResponse<String> answer) throws IOException {
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        JsonNode error = JSON.readTree(answer.body()).path("error");
        assertThat(error.path("code").intValue()).isEqualTo(answer.statusCode());
        return error;
    }

    @Test
    void a_path_that_no_route_has_is_answered_404_as_json() throws Exception {
        HttpResponse<String> answer = sent(request("/text/more"));
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(error(answer).path("message").textValue()).isEqualTo("there is no /text/more");
        assertThat(error(answer).path("type").textValue()).isEqualTo("invalid_request_error");
    }

    @Test
    void a_method_that_a_path_does_not_take_is_answered_405_with_those_that_it_takes() throws Exception {
        HttpResponse<String> answer = sent(request("/text").POST(BodyPublishers.noBody()));
        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("Allow")).hasValue("GET, HEAD, PUT");
        assertThat(error(answer).path("message").textValue()).isEqualTo("/text takes GET, HEAD, PUT, not POST");
    }

    @Test
    void a_head_has_the_length_of_the_answer_and_no_body() throws Exception {
        HttpResponse<String> answer = sent(request("/text").HEAD());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValueAsLong("Content-Length")).hasValue(5);
        assertThat(answer.body()).isEmpty();
        assertThat(sent(request("/text")).body())
                .as("the same connection is usable")
                .isEqualTo("hello");
    }

    @Test
    void a_route_of_all_paths_below_it_is_told_which_one() throws Exception {
        assertThat(sent(request("/below/7").DELETE()).body()).isEqualTo("7");
        assertThat(sent(request("/below").DELETE()).body()).isEmpty();
        assertThat(sent(request("/belowground").DELETE()).statusCode()).isEqualTo(404);
    }

    @Test
    void a_body_of_the_largest_size_is_taken_and_one_byte_more_is_answered_413() throws Exception {
        String largest = "x".repeat(BYTES_MAX);
        assertThat(sent(request("/echo").POST(BodyPublishers.ofString(largest))).body())
                .isEqualTo(largest);
        HttpResponse<String> answer = sent(request("/echo").POST(BodyPublishers.ofString(largest + "x")));
        assertThat(answer.statusCode()).isEqualTo(413);
        assertThat(error(answer).path("message").textValue()).contains("more than 1000 bytes");
    }

    @Test
    void a_body_without_a_length_is_bounded_too() throws Exception {
        byte[] tooLarge = new byte[BYTES_MAX + 1];
        HttpRequest.Builder chunked =
                request("/echo").POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(tooLarge)));
        assertThat(sent(chunked).statusCode()).isEqualTo(413);
    }

    @Test
    void a_handler_that_throws_is_answered_500_without_the_text_of_the_exception() throws Exception {
        for (String path : List.of("/fails", "/fails-as-an-error")) {
            HttpResponse<String> answer = sent(request(path));
            assertThat(answer.statusCode()).isEqualTo(500);
            assertThat(answer.body()).doesNotContain("secret").doesNotContain("Exception");
            assertThat(error(answer).path("type").textValue()).isEqualTo("server_error");
        }
    }

    @Test
    void a_handler_that_refuses_is_answered_with_its_status_and_message() throws Exception {
        HttpResponse<String> answer = sent(request("/refuses"));
        assertThat(answer.statusCode()).isEqualTo(418);
        assertThat(error(answer).path("message").textValue()).isEqualTo("this is a teapot");
        assertThat(error(answer).path("param").textValue()).isEqualTo("pot");
    }

    @Test
    void a_handler_that_never_ends_is_interrupted_and_answered_504() throws Exception {
        try (HttpRouter impatient = router(Duration.ofMillis(50))) {
            HttpResponse<String> answer = begun(impatient, "/waits").get(10, TimeUnit.SECONDS);
            assertThat(answer.statusCode()).isEqualTo(504);
            assertThat(error(answer).path("message").textValue()).isEqualTo("no answer within 50 ms");
            assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
            ScorerClientTest.await(
                    "its places are free again",
                    () -> IntStream.range(0, REQUESTS_MAX).mapToObj(_ -> begun(impatient, "/waits")).toList().stream()
                            .allMatch(each -> each.join().statusCode() == 504));
        }
    }

    @Test
    void handlers_that_ignore_the_interrupt_keep_their_places_until_they_end() throws Exception {
        try (HttpRouter impatient = router(Duration.ofMillis(50))) {
            for (int i = 0; i < REQUESTS_MAX; i++) {
                assertThat(begun(impatient, "/ignores-interrupts").join().statusCode())
                        .isEqualTo(504);
            }
            assertThat(begun(impatient, "/ignores-interrupts").join().statusCode())
                    .isEqualTo(503);
            assertThat(begun).hasValue(REQUESTS_MAX);
            gate.countDown();
            ScorerClientTest.await(
                    "there is room again",
                    () -> begun(impatient, "/ignores-interrupts").join().statusCode() == 200);
        }
    }

    @Test
    void requests_beyond_the_bound_of_a_route_are_answered_503_and_other_routes_are_unaffected() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> inWork = IntStream.range(0, REQUESTS_MAX)
                .mapToObj(_ -> begun(router, "/waits"))
                .toList();
        ScorerClientTest.await("all are in work", () -> begun.get() == REQUESTS_MAX);
        HttpResponse<String> answer = begun(router, "/waits").join();
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(sent(request("/text")).statusCode()).isEqualTo(200);
        gate.countDown();
        for (CompletableFuture<HttpResponse<String>> each : inWork) {
            assertThat(each.join().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void bodies_that_are_not_sent_to_their_end_occupy_no_more_than_their_room() throws Exception {
        try (Socket one = new Socket(
                        InetAddress.getLoopbackAddress(), router.url().getPort());
                Socket other = new Socket(
                        InetAddress.getLoopbackAddress(), router.url().getPort())) {
            for (Socket each : List.of(one, other)) {
                each.getOutputStream()
                        .write(("POST /echo HTTP/1.1\r\nHost: it\r\nContent-Length: " + BYTES_MAX + "\r\n\r\n{")
                                .getBytes(StandardCharsets.US_ASCII));
            }
            ScorerClientTest.await(
                    "a third body is refused",
                    () -> http.sendAsync(
                                            request("/echo")
                                                    .POST(BodyPublishers.ofString("x"))
                                                    .build(),
                                            HttpResponse.BodyHandlers.discarding())
                                    .join()
                                    .statusCode()
                            == 503);
        }
        ScorerClientTest.await(
                "there is room again",
                () -> http.sendAsync(
                                        request("/echo")
                                                .POST(BodyPublishers.ofString("x"))
                                                .build(),
                                        HttpResponse.BodyHandlers.discarding())
                                .join()
                                .statusCode()
                        == 200);
    }

    @Test
    void a_router_that_is_closed_while_requests_run_interrupts_them_and_closes_their_connections() throws Exception {
        CompletableFuture<HttpResponse<String>> inWork = begun(router, "/waits");
        ScorerClientTest.await("it is in work", () -> begun.get() == 1);
        router.close();
        assertThatThrownBy(() -> inWork.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IOException.class);
        assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
        assertThatThrownBy(() -> sent(request("/text"))).isInstanceOf(IOException.class);
    }

    @Test
    void only_loopback_is_served() {
        assertThat(router.address().getAddress().isLoopbackAddress()).isTrue();
    }
}
