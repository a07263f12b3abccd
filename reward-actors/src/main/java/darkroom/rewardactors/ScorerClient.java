package darkroom.rewardactors;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreOutcome.Scored;
import darkroom.actors.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.ScorerHttp.Reply;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Asks one OpenAI-compatible scorer for scores.
 *
 * <p>Whatever the scorer does, every request ends: with the score that its answer says, or unscored with a reason
 * (promises P-3 and P-4). The time is bounded by {@code attempts} times ({@code timeout} plus the longest pause), counted
 * from when one of the {@code concurrency} places is free. Safe for use by many threads; never blocks its caller.
 */
public final class ScorerClient implements AutoCloseable {
    /** Requests that may wait for a place; one more is unscored at once with code {@code busy}. */
    static final int WAITING_MAX = 8192;

    /** The longest pause between two attempts, whatever the scorer asks for in Retry-After. */
    static final Duration PAUSE_MAX = Duration.ofSeconds(20);

    static final Duration PAUSE_FIRST = Duration.ofMillis(200);

    /** Asking for the name of a model may not take longer than this; without an answer a placeholder is sent. */
    private static final Duration LOOKUP_TIMEOUT_MAX = Duration.ofSeconds(5);

    private static final int LOOKUPS_MAX = 3;
    private static final String MODEL_UNKNOWN = "default";
    private static final int ANSWER_BYTES_MAX = 1 << 20;
    private static final int REASONED_ANSWER_BYTES_MAX = 8 << 20;
    private static final int TOP_LOGPROBS = 20;
    private static final JsonMapper JSON = new JsonMapper();
    private static final Pattern REQUEST_ID = Pattern.compile("darkroom-\\d+-\\d+");
    private static final AtomicLong REQUESTS = new AtomicLong();

    private final ScorerAddress address;
    private final ScoringSettings settings;
    private final ScoringMethod method;
    private final Optional<BearerToken> token;
    private final Duration pauseFirst;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("scorer-", 0).factory());
    private final ScheduledThreadPoolExecutor timer;
    private final ScorerHttp http;
    private final AdmissionGate gate;
    private final FailsafeExecutor<Attempt> retrying;
    private final Map<Long, CompletableFuture<ScoreOutcome>> open = new ConcurrentHashMap<>();
    private final AtomicLong opened = new AtomicLong();
    private final Object lookupLock = new Object();
    private @Nullable CompletableFuture<String> lookup;
    private final AtomicInteger lookups = new AtomicInteger();
    private volatile boolean closed;

    /** How one request to the scorer ended. */
    private sealed interface Attempt {
        record Succeeded(LabelScore.Believed reading, String model) implements Attempt {}

        record Failed(ScorerFault fault, Duration pause) implements Attempt {}
    }

    /** @param isFinal whether asking again can give nothing else */
    private record Lookup(String model, boolean isFinal) {}

    /** One image on its way to a score. */
    private static final class Call {
        private final ScoreRequest request;
        private final String text;
        private final int key;
        private final AtomicInteger sent = new AtomicInteger();

        Call(ScoreRequest request, String text) {
            this.request = request;
            this.text = text;
            this.key = keyOf(request, text);
        }

        /** The same pictures and words give the same key, in every run. */
        private static int keyOf(ScoreRequest request, String text) {
            CRC32C crc = new CRC32C();
            crc.update(request.source().toBytes());
            crc.update(request.edited().toBytes());
            if (request.reference() != null) {
                crc.update(request.reference().toBytes());
            }
            crc.update(text.getBytes(StandardCharsets.UTF_8));
            return (int) (crc.getValue() & Integer.MAX_VALUE);
        }
    }

    /**
     * @param endpoint base URL, with or without a trailing slash or {@code /v1}
     * @param settings method, model, bounds; its list of endpoints is not looked at
     * @param token sent as a bearer token to this endpoint only, and never logged
     * @throws IllegalArgumentException if the URL is none, or a bound is below 1
     */
    public ScorerClient(URI endpoint, ScoringSettings settings, Optional<BearerToken> token) {
        this(endpoint, settings, token, PAUSE_FIRST);
    }

    ScorerClient(URI endpoint, ScoringSettings settings, Optional<BearerToken> token, Duration pauseFirst) {
        if (settings.concurrency() < 1
                || settings.attempts() < 1
                || !settings.timeout().isPositive()) {
            throw new IllegalArgumentException("scoring.concurrency=" + settings.concurrency() + ", scoring.attempts="
                    + settings.attempts() + ", scoring.timeout=" + settings.timeout() + ": each must be above 0");
        }
        this.address = ScorerAddress.of(endpoint);
        this.settings = settings;
        this.method = ScoringMethod.of(settings.method());
        this.token = token;
        this.pauseFirst = pauseFirst;
        this.lookup = settings.model().isBlank() ? null : CompletableFuture.completedFuture(settings.model());
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("scorer-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        this.http = new ScorerHttp(executor, timer, settings.timeout());
        this.gate = new AdmissionGate(settings.concurrency(), WAITING_MAX, executor);
        this.retrying = Failsafe.with(RetryPolicy.<Attempt>builder()
                        .handleResultIf(attempt -> attempt instanceof Attempt.Failed failed
                                && !failed.fault().permanent())
                        .withMaxAttempts(settings.attempts())
                        .withDelayFn(context -> context.getLastResult() instanceof Attempt.Failed failed
                                ? failed.pause()
                                : Duration.ZERO)
                        .build())
                .with(timer);
    }

    /** Requests in flight at the same time, at most. */
    public int concurrency() {
        return settings.concurrency();
    }

    /** Host and port of the scorer, for reports. */
    public String name() {
        return address.name();
    }

    /**
     * Scores one edit. The stage never completes exceptionally; it completes on a thread of this client, which must not
     * be blocked for long.
     */
    public CompletionStage<ScoreOutcome> score(ScoreRequest request) {
        CompletableFuture<ScoreOutcome> outcome = new CompletableFuture<>();
        long number = opened.incrementAndGet();
        open.put(number, outcome);
        var _ = outcome.whenComplete((_, _) -> open.remove(number));
        if (!closed && !gate.enter(() -> start(request, outcome))) {
            String detail = "more than " + WAITING_MAX + " requests wait for " + address.name();
            outcome.complete(unscored("busy", detail, 0));
        }
        if (closed) {
            outcome.complete(unscoredByClose());
        }
        return outcome.minimalCompletionStage();
    }

    /** Ends all requests at once: they are unscored with code {@code closed}. */
    @Override
    public void close() {
        closed = true;
        for (CompletableFuture<ScoreOutcome> outcome : open.values()) {
            outcome.complete(unscoredByClose());
        }
        http.close();
        timer.shutdown();
    }

    private Unscored unscoredByClose() {
        return unscored("closed", "the client of " + address.name() + " was closed", 0);
    }

    private void start(ScoreRequest request, CompletableFuture<ScoreOutcome> outcome) {
        var _ = outcome.whenComplete((_, _) -> gate.leave());
        if (outcome.isDone()) {
            return;
        }
        try {
            Call call = new Call(request, method.template().fill(request.instruction(), request.requirement()));
            var _ = retrying.getStageAsync(() -> attempt(call))
                    .whenComplete((attempt, error) -> outcome.complete(
                            error == null
                                    ? outcome(attempt, call)
                                    : unscored("client-error", String.valueOf(error), call.sent.get())));
        } catch (RuntimeException e) {
            outcome.complete(unscored("client-error", String.valueOf(e), 0));
        }
    }

    private ScoreOutcome outcome(Attempt attempt, Call call) {
        return switch (attempt) {
            case Attempt.Succeeded(LabelScore.Believed reading, String answering) ->
                new Scored(reading.score(), reading.mass(), call.sent.get(), address.name() + " " + answering);
            case Attempt.Failed(ScorerFault fault, Duration pause) ->
                unscored(fault.code(), fault.detail(), call.sent.get());
        };
    }

    private Unscored unscored(String code, String detail, int attempts) {
        String shown = token.map(secret -> secret.hiddenIn(detail)).orElse(detail);
        return new Unscored(ScorerFault.passing(code, shown).reason(), attempts);
    }

    private CompletionStage<Attempt> attempt(Call call) {
        return model().thenComposeAsync(
                        known -> ask(call, known)
                                .thenCompose(first -> isStale(first, call) ? ask(call, known) : settled(first)),
                        executor);
    }

    private static CompletionStage<Attempt> settled(Attempt attempt) {
        return CompletableFuture.completedFuture(attempt);
    }

    /** A kept-alive connection that the scorer had given up shows only when it is used: once, that costs no attempt. */
    private static boolean isStale(Attempt attempt, Call call) {
        return call.sent.get() == 1
                && attempt instanceof Attempt.Failed(ScorerFault fault, Duration pause)
                && Set.of("no-answer", "reset").contains(fault.code());
    }

    private CompletionStage<Attempt> ask(Call call, String modelName) {
        String requestId = "darkroom-" + ProcessHandle.current().pid() + "-" + REQUESTS.incrementAndGet();
        HttpRequest question = authorised(HttpRequest.newBuilder(address.chat()))
                .header("Content-Type", "application/json")
                .header("X-Request-Id", requestId)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body(call, modelName)))
                .build();
        call.sent.incrementAndGet();
        int bytesMax = method.reasoning() ? REASONED_ANSWER_BYTES_MAX : ANSWER_BYTES_MAX;
        return http.exchange(question, settings.timeout(), bytesMax).thenApply(reply -> switch (reply) {
            case Reply.Failure(ScorerFault fault) -> failed(knowing(fault, modelName), call);
            case Reply.Body body -> judged(body, requestId, modelName, call);
        });
    }

    /** The placeholder may be refused by a scorer that could not yet be asked for its models: it is then asked again. */
    private ScorerFault knowing(ScorerFault fault, String modelName) {
        if (!fault.code().equals("http-404")
                || !modelName.equals(MODEL_UNKNOWN)
                || !settings.model().isBlank()) {
            return fault;
        }
        if (lookups.get() < LOOKUPS_MAX) {
            forgetModel();
        }
        return ScorerFault.passing(fault.code(), fault.detail() + " (set scoring.model: the scorer listed none)");
    }

    private Attempt judged(Reply.Body body, String requestId, String modelName, Call call) {
        try {
            ChatAnswer answer = ChatAnswer.parse(body.bytes());
            Matcher named = REQUEST_ID.matcher(answer.id() + " " + body.requestId());
            while (named.find()) {
                if (!named.group().equals(requestId)) {
                    String detail = "asked as " + requestId + ", answered as " + named.group();
                    return failed(ScorerFault.passing("wrong-answer", detail), call);
                }
            }
            return switch (method.read(answer, settings.labelMassMin())) {
                case LabelScore.Believed believed -> new Attempt.Succeeded(believed, modelName);
                case LabelScore.Refused(String code, String detail, double mass) ->
                    failed(new ScorerFault(code, detail, code.equals("low-mass"), null), call);
            };
        } catch (FaultyAnswerException e) {
            return failed(e.fault(), call);
        }
    }

    private Attempt failed(ScorerFault fault, Call call) {
        return new Attempt.Failed(fault, pause(fault, pauseFirst, call.key, call.sent.get()));
    }

    /** Doubles from {@code first} with each request, spread over its upper half by the key; Retry-After goes before. */
    static Duration pause(ScorerFault fault, Duration first, int key, int sent) {
        Duration asked = fault.retryAfter();
        if (asked != null) {
            return asked.compareTo(PAUSE_MAX) < 0 ? asked : PAUSE_MAX;
        }
        long whole = Math.min(PAUSE_MAX.toMillis(), first.toMillis() << Math.min(sent - 1, 16));
        long mixed = (key * 31L + sent) * 0x9E3779B97F4A7C15L;
        double share = .5 + .5 * ((mixed >>> 40) / (double) (1 << 24));
        return Duration.ofMillis((long) (whole * share));
    }

    private byte[] body(Call call, String modelName) {
        ObjectNode body = JSON.createObjectNode();
        body.put("model", modelName);
        ObjectNode message = body.putArray("messages").addObject().put("role", "user");
        ArrayNode content = message.putArray("content");
        addImage(content, call.request.source());
        addImage(content, call.request.edited());
        if (call.request.reference() != null) {
            addImage(content, call.request.reference());
        }
        content.addObject().put("type", "text").put("text", call.text);
        body.put("max_tokens", method.tokensMax());
        body.put("n", 1);
        body.put("stream", false);
        body.put("seed", call.key);
        body.put("temperature", ScoringMethod.TEMPERATURE);
        body.put("top_p", 1);
        body.put("top_k", -1);
        body.put("min_p", 0);
        body.put("repetition_penalty", 1);
        body.put("presence_penalty", 0);
        body.put("frequency_penalty", 0);
        if (method.logprobs()) {
            body.put("logprobs", true);
            body.put("top_logprobs", TOP_LOGPROBS);
        }
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void addImage(ArrayNode content, PngImage image) {
        content.addObject().put("type", "image_url").putObject("image_url").put("url", image.toDataUrl());
    }

    private HttpRequest.Builder authorised(HttpRequest.Builder request) {
        request.header("Accept", "application/json").header("Accept-Encoding", "identity");
        token.ifPresent(secret -> request.header("Authorization", secret.header()));
        return request;
    }

    /** The configured model, else the scorer's first, else a placeholder: some scorers serve one model and list none. */
    private CompletionStage<String> model() {
        synchronized (lookupLock) {
            if (lookup == null) {
                lookup = startLookup();
            }
            return lookup;
        }
    }

    private CompletableFuture<String> startLookup() {
        Duration deadline =
                settings.timeout().compareTo(LOOKUP_TIMEOUT_MAX) < 0 ? settings.timeout() : LOOKUP_TIMEOUT_MAX;
        HttpRequest request =
                authorised(HttpRequest.newBuilder(address.models())).GET().build();
        return http.exchange(request, deadline, ANSWER_BYTES_MAX)
                .thenApply(reply -> {
                    Lookup found = listed(reply);
                    if (lookups.incrementAndGet() < LOOKUPS_MAX && !found.isFinal()) {
                        forgetModel();
                    }
                    return found.model();
                })
                .toCompletableFuture();
    }

    private void forgetModel() {
        synchronized (lookupLock) {
            lookup = null;
        }
    }

    private static Lookup listed(Reply reply) {
        return switch (reply) {
            case Reply.Failure(ScorerFault fault) -> new Lookup(MODEL_UNKNOWN, fault.permanent());
            case Reply.Body body -> {
                try {
                    yield new Lookup(ChatAnswer.firstModel(body.bytes()), true);
                } catch (FaultyAnswerException e) {
                    yield new Lookup(MODEL_UNKNOWN, true);
                }
            }
        };
    }
}
