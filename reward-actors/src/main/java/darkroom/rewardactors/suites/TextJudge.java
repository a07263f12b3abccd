package darkroom.rewardactors.suites;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.client.AdmissionGate;
import darkroom.rewardactors.client.RequestId;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerAddress;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.client.ScorerHttp;
import darkroom.rewardactors.client.ScorerHttp.Reply;
import darkroom.rewardactors.judge.JudgeTimeoutException;
import darkroom.rewardactors.protocol.AnswerReader;
import darkroom.rewardactors.protocol.ChatAnswer;
import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScorerFault;
import dev.failsafe.Failsafe;
import dev.failsafe.RetryPolicy;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an OpenAI-compatible judge about pictures, and has its answer parsed.
 *
 * <p>Every question ends, whatever the judge does: with the scores in an answer, or with a reason (promises P-3 and P-4). An
 * answer without the scores is requested again like a missing one. The time of a question is bounded by {@code attempts}
 * times ({@code timeout} plus the longest pause), counted from when one of the {@code concurrency} places is free. Safe for
 * use by many threads; only {@link #open} blocks its caller.
 *
 * <p>Neutral sampling settings are always sent, since a server's own defaults change its answers. A server without vLLM's
 * {@code /version} gets only those of OpenAI's protocol: it may refuse fields that it does not know.
 */
public final class TextJudge implements AutoCloseable {
    /** Maximum number of questions waiting for a place; one more ends at once with code {@code busy}. */
    static final int WAITING_MAX = 4096;

    /** Reason code of a question that is unanswered because the judge was closed. */
    static final String CLOSED = "closed";

    private static final Logger LOG = LoggerFactory.getLogger(TextJudge.class);
    private static final Duration PAUSE_FIRST = Duration.ofMillis(500);
    private static final Duration LOOKUP_TIMEOUT_MAX = Duration.ofSeconds(5);
    private static final int ANSWER_BYTES_MAX = 8 << 20;
    private static final JsonMapper JSON = new JsonMapper();
    private static final Set<String> NOBODY_THERE = Set.of("refused", "unknown-host", "tls", "timeout");
    private static final Set<String> STALE = Set.of("no-answer", "reset");

    private final JudgeSettings settings;
    private final ScorerAccess access;
    private final ScorerAddress address;
    private final Duration pauseFirst;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("text-judge-", 0).factory());
    private final ScheduledThreadPoolExecutor timer;
    private final ScorerHttp http;
    private final AdmissionGate gate;
    private final Map<Long, CompletableFuture<JudgeReply>> open = new ConcurrentHashMap<>();
    private final AtomicLong opened = new AtomicLong();
    private volatile boolean closed;
    private String model;
    private String version = "";

    /** Result of one attempt. */
    private sealed interface Try {
        record Read(List<Double> scores, String text) implements Try {}

        record Failed(ScorerFault fault) implements Try {}
    }

    private TextJudge(JudgeSettings settings, ScorerAccess access, Duration pauseFirst) {
        this.settings = settings;
        this.access = access;
        this.address = ScorerAddress.of(settings.endpoint());
        this.pauseFirst = pauseFirst;
        this.model = settings.model();
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("text-judge-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.http = new ScorerHttp(executor, timer, settings.timeout(), access);
        this.gate = new AdmissionGate(settings.concurrency(), WAITING_MAX, executor);
    }

    /**
     * Opens a judge and determines whether it is vLLM, and which model it serves.
     *
     * @param access sent to this endpoint only, and never logged
     * @throws IllegalArgumentException if the endpoint is not the URL of a server
     * @throws JudgeTimeoutException if it does not answer, or no model is configured and it lists none
     */
    public static TextJudge open(JudgeSettings settings, ScorerAccess access) {
        return open(settings, access, PAUSE_FIRST);
    }

    static TextJudge open(JudgeSettings settings, ScorerAccess access, Duration pauseFirst) {
        TextJudge judge = new TextJudge(settings, access, pauseFirst);
        try {
            judge.meet();
            return judge;
        } catch (RuntimeException e) {
            judge.close();
            throw e;
        }
    }

    /** Returns the name of the model. */
    public String model() {
        return model;
    }

    /** Returns host and port, for reports. */
    public String name() {
        return address.name();
    }

    /** Returns vLLM's version; empty if the server does not report it. */
    String version() {
        return version;
    }

    /** Maximum number of questions in work at the same time. */
    int concurrency() {
        return settings.concurrency();
    }

    /**
     * Returns the settings sent with each question in addition to prompt and pictures: everything that decides the answer.
     */
    ObjectNode sampling() {
        ObjectNode sampling = JSON.createObjectNode();
        sampling.put("max_tokens", settings.tokensMax());
        sampling.put("temperature", settings.temperature());
        sampling.put("top_p", 1);
        sampling.put("presence_penalty", 0);
        sampling.put("frequency_penalty", 0);
        if (!version.isEmpty()) {
            sampling.put("top_k", -1).put("min_p", 0).put("repetition_penalty", 1);
        }
        return sampling;
    }

    /**
     * Asks one question: text first, then pictures. The stage never completes exceptionally.
     *
     * @param reader receives the text of each complete answer
     */
    CompletionStage<JudgeReply> ask(String words, List<PngImage> pictures, AnswerReader reader) {
        CompletableFuture<JudgeReply> said = new CompletableFuture<>();
        long number = opened.incrementAndGet();
        open.put(number, said);
        var _ = said.whenComplete((_, _) -> open.remove(number));
        if (!closed && !gate.enter(() -> start(words, pictures, reader, said))) {
            said.complete(nothing("busy", "more than " + WAITING_MAX + " questions wait for " + name(), 0));
        }
        if (closed) {
            said.complete(nothingByClose());
        }
        return said.minimalCompletionStage();
    }

    /** Ends all questions at once, with code {@code closed}. */
    @Override
    public void close() {
        closed = true;
        open.values().forEach(said -> said.complete(nothingByClose()));
        http.close();
        timer.shutdown();
    }

    private JudgeReply nothingByClose() {
        return nothing(CLOSED, "the client of " + name() + " was closed", 0);
    }

    private JudgeReply nothing(String code, String detail, int attempts) {
        return new JudgeReply.Nothing(
                ScorerFault.passing(code, access.hiddenIn(detail)).reason(), attempts);
    }

    private void start(String words, List<PngImage> pictures, AnswerReader reader, CompletableFuture<JudgeReply> said) {
        var _ = said.whenComplete((_, _) -> gate.leave());
        if (said.isDone()) {
            return;
        }
        try {
            byte[] body = body(words, pictures);
            int key = words.hashCode();
            AtomicInteger sent = new AtomicInteger();
            RetryPolicy<Try> again = RetryPolicy.<Try>builder()
                    .handleResultIf(
                            one -> one instanceof Try.Failed(ScorerFault fault) && !fault.permanent() && !said.isDone())
                    .withMaxAttempts(settings.attempts())
                    .withDelayFn(context -> pause(context.getLastResult(), key, sent.get()))
                    .build();
            var _ = Failsafe.with(again)
                    .with(timer)
                    .getStageAsync(() -> once(body, reader, sent)
                            .thenCompose(first -> sent.get() == 1 && isStale(first)
                                    ? once(body, reader, sent)
                                    : CompletableFuture.completedStage(first)))
                    .whenComplete((last, error) -> said.complete(said(last, error, sent.get())));
        } catch (RuntimeException e) {
            said.complete(nothing("client-error", ErrorReason.of(e), 0));
        }
    }

    private JudgeReply said(@Nullable Try last, @Nullable Throwable error, int sent) {
        return switch (last) {
            case null -> nothing("client-error", error == null ? "no answer" : ErrorReason.of(error), sent);
            case Try.Read(List<Double> scores, String text) ->
                new JudgeReply.Scores(scores, access.hiddenIn(text), sent);
            case Try.Failed(ScorerFault fault) -> nothing(fault.code(), fault.detail(), sent);
        };
    }

    private Duration pause(@Nullable Try last, int key, int sent) {
        return last instanceof Try.Failed(ScorerFault fault)
                ? ScorerClient.pause(fault, pauseFirst, key, Math.max(1, sent))
                : Duration.ZERO;
    }

    /** A kept-alive connection closed by the server is noticed only on use: once, this does not count as an attempt. */
    private static boolean isStale(Try first) {
        return first instanceof Try.Failed(ScorerFault fault) && STALE.contains(fault.code());
    }

    private CompletionStage<Try> once(byte[] body, AnswerReader reader, AtomicInteger sent) {
        sent.incrementAndGet();
        RequestId id = RequestId.next();
        HttpRequest.Builder question = HttpRequest.newBuilder(address.chat())
                .header("Content-Type", "application/json")
                .header(RequestId.HEADER, id.text())
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        access.into(question);
        return http.exchange(question.build(), settings.timeout(), ANSWER_BYTES_MAX)
                .thenApply(reply -> switch (reply) {
                    case Reply.Failure(ScorerFault fault, String _) -> new Try.Failed(fault);
                    case Reply.Body whole -> read(whole, id, reader);
                });
    }

    private Try read(Reply.Body body, RequestId id, AnswerReader reader) {
        try {
            ChatAnswer answer = ChatAnswer.parse(body.bytes());
            Optional<ScorerFault> strange = id.strange(answer, body);
            if (strange.isPresent()) {
                return new Try.Failed(strange.get());
            }
            String text = answer.text();
            if (answer.finish().equals("length")) {
                return failed("cut-off", "the answer has more than --max-tokens=" + settings.tokensMax() + " tokens");
            }
            if (text == null || text.isBlank()) {
                return failed("no-text", "the answer has no words");
            }
            return new Try.Read(reader.read(text), text);
        } catch (FaultyAnswerException e) {
            return new Try.Failed(e.fault());
        }
    }

    private static Try failed(String code, String detail) {
        return new Try.Failed(ScorerFault.passing(code, detail));
    }

    private byte[] body(String words, List<PngImage> pictures) {
        ObjectNode body = JSON.createObjectNode().put("model", model);
        ArrayNode content =
                body.putArray("messages").addObject().put("role", "user").putArray("content");
        content.addObject().put("type", "text").put("text", words);
        for (PngImage picture : pictures) {
            content.addObject().put("type", "image_url").putObject("image_url").put("url", picture.toDataUrl());
        }
        body.put("n", 1).put("stream", false);
        body.setAll(sampling());
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private void meet() {
        switch (lookup(address.version())) {
            case Reply.Body body -> version = version(body.bytes());
            case Reply.Failure(ScorerFault fault, String _) -> {
                if (NOBODY_THERE.contains(fault.code())) {
                    throw new JudgeTimeoutException("judge %s does not answer: %s"
                            .formatted(settings.endpoint(), access.hiddenIn(fault.reason())));
                }
            }
        }
        if (model.isEmpty()) {
            model = switch (lookup(address.models())) {
                case Reply.Body body -> firstModel(body.bytes());
                case Reply.Failure(ScorerFault fault, String _) ->
                    throw new JudgeTimeoutException("judge %s does not list its models (%s); name one with --model"
                            .formatted(settings.endpoint(), access.hiddenIn(fault.reason())));
            };
        }
    }

    private String version(ByteBuffer body) {
        try {
            return textAt(body, "/version");
        } catch (FaultyAnswerException e) {
            LOG.warn(
                    "judge {} is not taken for vLLM, and is sent only the sampling settings of OpenAI's protocol: its"
                            + " answer to {} is not read ({})",
                    settings.endpoint(),
                    address.version().getPath(),
                    access.hiddenIn(ErrorReason.of(e)));
            return "";
        }
    }

    private String firstModel(ByteBuffer body) {
        try {
            return textAt(body, "/data/0/id");
        } catch (FaultyAnswerException e) {
            throw new JudgeTimeoutException(
                    "judge %s lists no model: its answer to %s is not read (%s); name one with --model"
                            .formatted(
                                    settings.endpoint(),
                                    address.models().getPath(),
                                    access.hiddenIn(ErrorReason.of(e))));
        }
    }

    private static String textAt(ByteBuffer body, String pointer) throws FaultyAnswerException {
        JsonNode object = ChatAnswer.parseObject(body);
        JsonNode node = object.at(pointer);
        String text = node.isTextual() ? node.textValue().strip() : "";
        if (text.isEmpty()) {
            throw new FaultyAnswerException(
                    ScorerFault.permanent("bad-shape", "there is no text at %s of %s".formatted(pointer, object)));
        }
        return text;
    }

    /** Retries until it is answered, as often as a question would. */
    private Reply lookup(URI url) {
        Duration deadline =
                settings.timeout().compareTo(LOOKUP_TIMEOUT_MAX) < 0 ? settings.timeout() : LOOKUP_TIMEOUT_MAX;
        HttpRequest.Builder request = HttpRequest.newBuilder(url).GET();
        access.into(request);
        AtomicInteger sent = new AtomicInteger();
        RetryPolicy<Reply> again = RetryPolicy.<Reply>builder()
                .handleResultIf(
                        reply -> reply instanceof Reply.Failure(ScorerFault fault, String _) && !fault.permanent())
                .withMaxAttempts(settings.attempts())
                .withDelayFn(context -> context.getLastResult() instanceof Reply.Failure(ScorerFault fault, String _)
                        ? ScorerClient.pause(fault, pauseFirst, url.hashCode(), Math.max(1, sent.get()))
                        : Duration.ZERO)
                .build();
        return Failsafe.with(again)
                .with(timer)
                .getStageAsync(() -> {
                    sent.incrementAndGet();
                    return http.exchange(request.build(), deadline, ANSWER_BYTES_MAX);
                })
                .join();
    }
}
