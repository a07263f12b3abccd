package darkroom.rewardactors.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.client.ScorerHttp.Reply;
import darkroom.rewardactors.protocol.ChatAnswer;
import darkroom.rewardactors.protocol.ChatBody;
import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.LabelScore.Believed;
import darkroom.rewardactors.protocol.LabelScore.Reading;
import darkroom.rewardactors.protocol.LabelScore.Refused;
import darkroom.rewardactors.protocol.LabelSet;
import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.RequestDialect;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import darkroom.rewardactors.protocol.TokenLogprob;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exchanges with one scoring server: the lookup of its profile, and single attempts at an answer. The {@link ScorerEndpoint}
 * owns the profile and decides when the server is asked.
 *
 * <p>The profile has the {@link LogprobSource}. A server that reports no version is asked on {@link LogprobSource#TOP} without
 * a probe. One that does is asked for the token ids of the labels, and then about two pictures of the client itself, on one
 * logprob source after the other, the best first, for half of the labels only: a server that ignores unknown fields answers
 * 200 as well, and is recognised because it returns more than was requested.
 */
final class ScorerServer implements ScorerPort {
    /** Timeout of one probe of a server; a question with pictures may take {@code scoring.timeout}. */
    private static final Duration LOOKUP_TIMEOUT_MAX = Duration.ofSeconds(5);

    private static final int ANSWER_BYTES_MAX = 1 << 20;
    private static final int LONG_ANSWER_BYTES_MAX = 8 << 20;
    private static final Set<String> REFUSALS = Set.of("http-400", "http-422");
    private static final JsonMapper JSON = new JsonMapper();
    private static final Logger LOG = LoggerFactory.getLogger(ScorerServer.class);

    private final ScorerAddress address;
    private final ScoringSettings settings;
    private final ScoringMethod method;
    private final ScorerAccess access;
    private final ScorerHttp http;
    private final Executor executor;
    private final AtomicReference<Set<String>> refusedFields = new AtomicReference<>(Set.of());

    /** The server does not answer, or answers unlike the one it claims to be: it is probed again later. */
    private static final class UndecidedException extends Exception {
        private final ScorerFault fault;

        UndecidedException(ScorerFault fault) {
            super(fault.reason(), null, false, false);
            this.fault = fault;
        }
    }

    /** @param executor of virtual threads: probing a server waits for its answers */
    ScorerServer(
            URI endpoint,
            ScoringSettings settings,
            ScoringMethod method,
            ScorerAccess access,
            ScorerHttp http,
            Executor executor) {
        this.address = ScorerAddress.of(endpoint);
        this.settings = settings;
        this.method = method;
        this.access = access;
        this.http = http;
        this.executor = executor;
    }

    @Override
    public String name() {
        return address.name();
    }

    @Override
    public CompletionStage<Lookup> lookUp() {
        return CompletableFuture.supplyAsync(this::findOut, executor);
    }

    @Override
    public CompletionStage<ScorerAttempt> ask(ScorerCall call, ServerProfile profile, AbortSignal givenUp) {
        if (profile.refused().isPresent()) {
            return settled(new ScorerAttempt.Failed(profile.refused().get()));
        }
        return CompletableFuture.supplyAsync(() -> once(call, profile, givenUp), executor)
                .thenCompose(sent -> sent)
                .thenComposeAsync(
                        first -> isStale(first, call) ? once(call, profile, givenUp) : settled(first), executor);
    }

    private static CompletionStage<ScorerAttempt> settled(ScorerAttempt attempt) {
        return CompletableFuture.completedFuture(attempt);
    }

    /** A kept-alive connection closed by the server is noticed only on use: once, this does not count as an attempt. */
    private static boolean isStale(ScorerAttempt attempt, ScorerCall call) {
        return call.sent() == 1
                && attempt instanceof ScorerAttempt.Failed(ScorerFault fault)
                && Set.of("no-answer", "reset").contains(fault.code());
    }

    private CompletionStage<ScorerAttempt> once(ScorerCall call, ServerProfile profile, AbortSignal givenUp) {
        call.countSent();
        return exchanged(call, profile, givenUp).thenApply(said -> switch (said) {
            case Exchanged.Read(Believed believed) ->
                new ScorerAttempt.Succeeded(believed, address.name() + " " + profile.describe(method.promptName()));
            case Exchanged.Read(Refused(String code, String detail, double mass)) ->
                new ScorerAttempt.Failed(new ScorerFault(code, detail, code.equals("low-mass"), null));
            case Exchanged.Fault(ScorerFault fault) -> new ScorerAttempt.Failed(knowing(fault, profile.model()));
            case Exchanged.Answer answer -> throw new IllegalStateException("not read: " + answer);
        });
    }

    private CompletionStage<Exchanged> exchanged(ScorerCall call, ServerProfile profile, AbortSignal givenUp) {
        if (method.method() == Method.ADAPTER) {
            return adapter(call, givenUp);
        }
        if (profile.logprobSource() == LogprobSource.PROMPT) {
            return CompletableFuture.supplyAsync(() -> eachLabel(call, profile, givenUp), executor);
        }
        ObjectNode body = ChatBody.of(
                call,
                method,
                profile.model(),
                settings.jpegQuality(),
                profile.logprobSource(),
                method.labels().labels(),
                profile.labelIds());
        return question(body, profile.vllm(), givenUp).thenApply(said -> switch (said) {
            case Exchanged.Answer(ChatAnswer answer) ->
                new Exchanged.Read(method.read(
                        answer, settings.labelMassMin(), profile.logprobSource().exact()));
            default -> said;
        });
    }

    private CompletionStage<Exchanged> adapter(ScorerCall call, AbortSignal givenUp) {
        HttpRequest question = posting(address.base(), ChatBody.ofAdapter(call, settings.jpegQuality()))
                .build();
        return http.exchange(question, settings.timeout(), ANSWER_BYTES_MAX, givenUp)
                .thenApply(reply -> switch (reply) {
                    case Reply.Failure(ScorerFault fault, String _) -> new Exchanged.Fault(fault);
                    case Reply.Body whole -> {
                        try {
                            yield new Exchanged.Read(method.number().in(ChatAnswer.parseObject(whole.bytes())));
                        } catch (FaultyAnswerException e) {
                            yield new Exchanged.Fault(e.fault());
                        }
                    }
                });
    }

    /** Result of a question. */
    private sealed interface Exchanged {
        record Answer(ChatAnswer answer) implements Exchanged {}

        record Read(Reading reading) implements Exchanged {}

        record Fault(ScorerFault fault) implements Exchanged {}
    }

    /** {@link LogprobSource#PROMPT}: one label after the other, all within the time of one question. */
    private Exchanged eachLabel(ScorerCall call, ServerProfile profile, AbortSignal givenUp) {
        long until = System.nanoTime() + settings.timeout().toNanos();
        List<TokenLogprob> values = new ArrayList<>();
        for (LabelSet.Label label : method.labels().labels()) {
            Duration left = Duration.ofNanos(until - System.nanoTime());
            if (!left.isPositive()) {
                return new Exchanged.Fault(ScorerFault.passing(
                        "timeout", "no log-probabilities of all labels within " + settings.timeout()));
            }
            Exchanged said = question(
                            ChatBody.ofLabel(call, method, profile.model(), settings.jpegQuality(), label),
                            profile.vllm(),
                            left,
                            LONG_ANSWER_BYTES_MAX,
                            givenUp)
                    .toCompletableFuture()
                    .join();
            if (!(said instanceof Exchanged.Answer(ChatAnswer answer))) {
                return said;
            }
            Optional<TokenLogprob> last = answer.promptTail();
            if (last.isEmpty() || !last.get().token().equals(label.token())) {
                return new Exchanged.Fault(ScorerFault.passing(
                        "missing-label", "no prompt log-probability of label \"%s\"".formatted(label.token())));
            }
            values.add(last.get());
        }
        return new Exchanged.Read(LabelScore.of(values, method.labels(), settings.labelMassMin(), true));
    }

    private CompletionStage<Exchanged> question(ObjectNode body, boolean vllm, AbortSignal givenUp) {
        return question(
                body, vllm, settings.timeout(), method.isLong() ? LONG_ANSWER_BYTES_MAX : ANSWER_BYTES_MAX, givenUp);
    }

    /** Repeats the question without optional fields that the server refuses by name; each time fewer are left. */
    private CompletionStage<Exchanged> question(
            ObjectNode question, boolean vllm, Duration deadline, int bytesMax, AbortSignal givenUp) {
        long until = System.nanoTime() + deadline.toNanos();
        ObjectNode body = question.deepCopy();
        new RequestDialect(vllm, refusedFields.get()).applyTo(body);
        RequestId id = RequestId.next();
        HttpRequest posted = posting(address.chat(), ChatBody.bytes(body))
                .header(RequestId.HEADER, id.text())
                .build();
        return http.exchange(posted, deadline, bytesMax, givenUp).thenCompose(reply -> switch (reply) {
            case Reply.Body whole -> CompletableFuture.completedFuture(parsed(whole, id));
            case Reply.Failure(ScorerFault fault, String said) -> {
                Set<String> named =
                        REFUSALS.contains(fault.code()) ? RequestDialect.refusedBy(said, body) : Set.<String>of();
                Duration left = Duration.ofNanos(until - System.nanoTime());
                if (named.isEmpty() || !left.isPositive()) {
                    yield CompletableFuture.completedFuture(new Exchanged.Fault(fault));
                }
                refuse(named);
                yield question(question, vllm, left, bytesMax, givenUp);
            }
        });
    }

    private void refuse(Set<String> named) {
        Set<String> before = refusedFields.getAndUpdate(
                already -> new RequestDialect(false, already).without(named).refused());
        if (!before.containsAll(named)) {
            LOG.info("scorer {} refuses {} and is asked without", address.name(), named);
        }
        if (named.contains("seed") && !before.contains("seed")) {
            LOG.warn(
                    "scorer {} takes no seed: method {} gives other scores for the same edit each time",
                    address.name(),
                    method.method());
        }
    }

    private static Exchanged parsed(Reply.Body body, RequestId id) {
        try {
            ChatAnswer answer = ChatAnswer.parse(body.bytes());
            return id.strange(answer, body)
                    .<Exchanged>map(Exchanged.Fault::new)
                    .orElseGet(() -> new Exchanged.Answer(answer));
        } catch (FaultyAnswerException e) {
            return new Exchanged.Fault(e.fault());
        }
    }

    private HttpRequest.Builder posting(URI url, byte[] body) {
        return authorised(HttpRequest.newBuilder(url))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    }

    private HttpRequest.Builder authorised(HttpRequest.Builder request) {
        request.header("Accept", "application/json").header("Accept-Encoding", "identity");
        access.into(request);
        return request;
    }

    /**
     * The placeholder may be refused by a server whose models were not listed yet: the fault may pass, and the endpoint looks
     * the server up again (SE-3).
     */
    private ScorerFault knowing(ScorerFault fault, String model) {
        if (!fault.code().equals("http-404")
                || !model.equals(ServerProfile.MODEL_UNKNOWN)
                || !settings.model().isBlank()) {
            return fault;
        }
        return ScorerFault.passing(fault.code(), fault.detail() + " (set scoring.model: the scorer listed none)");
    }

    private Lookup findOut() {
        try {
            return new Lookup.Found(profileOf(listed()));
        } catch (UndecidedException e) {
            return new Lookup.Failed(e.fault);
        }
    }

    /**
     * Returns the configured model, else the server's first, else a placeholder: some servers serve one model and list none.
     *
     * @throws UndecidedException if the server may only be starting
     */
    private ServerProfile listed() throws UndecidedException {
        if (method.method() == Method.ADAPTER) {
            return ServerProfile.plain("adapter", false);
        }
        if (!settings.model().isBlank()) {
            return ServerProfile.plain(settings.model(), false);
        }
        return switch (get(address.models())) {
            case Reply.Failure(ScorerFault fault, String _) -> {
                if (!fault.permanent()) {
                    throw new UndecidedException(fault);
                }
                yield ServerProfile.plain(ServerProfile.MODEL_UNKNOWN, false);
            }
            case Reply.Body body -> {
                try {
                    ChatAnswer.ListedModel first = ChatAnswer.firstModel(body.bytes());
                    yield ServerProfile.plain(first.id(), first.owner().equals("vllm"));
                } catch (FaultyAnswerException e) {
                    LOG.debug("scorer {} lists no model: {}", address.name(), ErrorReason.of(e));
                    yield ServerProfile.plain(ServerProfile.MODEL_UNKNOWN, false);
                }
            }
        };
    }

    private ServerProfile profileOf(ServerProfile plain) throws UndecidedException {
        if (method.method() == Method.ADAPTER) {
            return plain;
        }
        boolean needsVersion = method.logprobs() && settings.logprobSource() != ScoringSettings.Ladder.TOP_20;
        if (!needsVersion && plain.vllm()) {
            return plain;
        }
        Optional<String> version = version();
        boolean vllm = plain.vllm() || version.isPresent();
        if (!needsVersion || (version.isEmpty() && settings.logprobSource() == ScoringSettings.Ladder.AUTO)) {
            return ServerProfile.plain(plain.model(), vllm);
        }
        List<Integer> ids = new ArrayList<>();
        for (LabelSet.Label label : method.labels().labels()) {
            Optional<List<Integer>> tokens = tokens(plain.model(), label.token());
            if (tokens.isEmpty()) {
                break;
            }
            if (tokens.get().size() != 1) {
                ScorerFault fault = ScorerFault.permanent(
                        "label-tokens",
                        "label \"%s\" is %d tokens of model %s, one is needed: method %s cannot be used with it"
                                .formatted(label.token(), tokens.get().size(), plain.model(), method.method()));
                return new ServerProfile(
                        plain.model(), version.orElse(""), LogprobSource.TOP, List.of(), vllm, Optional.of(fault));
            }
            ids.add(tokens.get().getFirst());
        }
        LogprobSource logprobSource = logprobSource(plain.model(), ids, vllm);
        return new ServerProfile(
                plain.model(),
                version.orElse(""),
                logprobSource,
                logprobSource == LogprobSource.TOKEN_IDS ? ids : List.of(),
                vllm,
                Optional.empty());
    }

    private LogprobSource logprobSource(String model, List<Integer> ids, boolean vllm) throws UndecidedException {
        return switch (settings.logprobSource()) {
            case TOKEN_IDS -> LogprobSource.TOKEN_IDS;
            case CHOICE -> LogprobSource.CHOICE;
            case PROMPT_LOGPROBS -> LogprobSource.PROMPT;
            case TOP_20 -> LogprobSource.TOP;
            case AUTO -> {
                ScorerCall canary = Canary.call(method);
                boolean allIds = ids.size() == method.labels().labels().size();
                if (allIds && honours(LogprobSource.TOKEN_IDS, canary, model, ids, vllm)) {
                    yield LogprobSource.TOKEN_IDS;
                }
                if (!method.reasoning() && honours(LogprobSource.CHOICE, canary, model, ids, vllm)) {
                    yield LogprobSource.CHOICE;
                }
                yield !method.reasoning() && honours(LogprobSource.PROMPT, canary, model, ids, vllm)
                        ? LogprobSource.PROMPT
                        : LogprobSource.TOP;
            }
        };
    }

    /** Whether the server, asked for every other label, returns these, and nothing else but the token that it wrote. */
    private boolean honours(
            LogprobSource logprobSource, ScorerCall canary, String model, List<Integer> ids, boolean vllm)
            throws UndecidedException {
        List<LabelSet.Label> half = new ArrayList<>();
        List<Integer> halfIds = new ArrayList<>();
        List<LabelSet.Label> all = method.labels().labels();
        for (int i = 0; i < all.size(); i += 2) {
            half.add(all.get(i));
            if (logprobSource == LogprobSource.TOKEN_IDS) {
                halfIds.add(ids.get(i));
            }
        }
        ObjectNode body = logprobSource == LogprobSource.PROMPT
                ? ChatBody.ofLabel(canary, method, model, settings.jpegQuality(), half.getFirst())
                : ChatBody.of(canary, method, model, settings.jpegQuality(), logprobSource, half, halfIds);
        return switch (question(body, vllm, settings.timeout(), LONG_ANSWER_BYTES_MAX, new AbortSignal())
                .toCompletableFuture()
                .join()) {
            case Exchanged.Answer(ChatAnswer answer) ->
                logprobSource == LogprobSource.PROMPT
                        ? answer.promptTail()
                                .filter(last ->
                                        last.token().equals(half.getFirst().token()) && LabelScore.isValue(last))
                                .isPresent()
                        : tellsOnly(half, answer);
            case Exchanged.Fault(ScorerFault fault) -> {
                if (!fault.permanent()) {
                    throw new UndecidedException(fault);
                }
                yield false;
            }
            case Exchanged.Read read -> throw new IllegalStateException("read too early: " + read);
        };
    }

    private static boolean tellsOnly(List<LabelSet.Label> half, ChatAnswer answer) {
        if (answer.positions().isEmpty()) {
            return false;
        }
        List<TokenLogprob> told = answer.positions().getFirst().alternatives();
        return told.size() <= half.size() + 1
                && half.stream().allMatch(label -> told.stream()
                        .anyMatch(each -> each.token().equals(label.token()) && LabelScore.isValue(each)));
    }

    private Optional<String> version() {
        return switch (get(address.version())) {
            case Reply.Failure _ -> Optional.empty();
            case Reply.Body body ->
                json(body)
                        .map(answer -> answer.path("version"))
                        .filter(JsonNode::isTextual)
                        .map(JsonNode::textValue);
        };
    }

    /** Returns the ids of the text's tokens; empty if the server does not return them. */
    private Optional<List<Integer>> tokens(String model, String text) {
        byte[] body = JSON.createObjectNode()
                .put("model", model)
                .put("prompt", text)
                .put("add_special_tokens", false)
                .toString()
                .getBytes(StandardCharsets.UTF_8);
        return switch (exchange(posting(address.tokenize(), body).build())) {
            case Reply.Failure _ -> Optional.empty();
            case Reply.Body whole ->
                json(whole)
                        .map(answer -> answer.path("tokens"))
                        .filter(tokens -> tokens.isArray() && !tokens.isEmpty())
                        .map(tokens -> {
                            List<Integer> ids = new ArrayList<>();
                            tokens.forEach(id -> ids.add(id.asInt(-1)));
                            return ids;
                        })
                        .filter(ids -> ids.stream().allMatch(id -> id >= 0));
        };
    }

    private Optional<JsonNode> json(Reply.Body body) {
        try {
            return Optional.of(ChatAnswer.parseObject(body.bytes()));
        } catch (FaultyAnswerException e) {
            LOG.debug("an answer of scorer {} is not read: {}", address.name(), ErrorReason.of(e));
            return Optional.empty();
        }
    }

    private Reply get(URI url) {
        return exchange(authorised(HttpRequest.newBuilder(url)).GET().build());
    }

    private Reply exchange(HttpRequest request) {
        Duration deadline =
                settings.timeout().compareTo(LOOKUP_TIMEOUT_MAX) < 0 ? settings.timeout() : LOOKUP_TIMEOUT_MAX;
        return http.exchange(request, deadline, ANSWER_BYTES_MAX)
                .toCompletableFuture()
                .join();
    }
}
