package darkroom.rewardactors.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An answer of {@code /v1/chat/completions}, parsed without trust: any deviation from the protocol is a fault, and nothing is
 * guessed.
 *
 * @param id the scorer's id of the answer; empty if it gave none
 * @param text the written text; null without one
 * @param finish why the scorer stopped writing; empty if not reported
 * @param positions the tokens written with their alternatives; empty if the answer has no log-probabilities
 * @param promptTail the last token of the question, if log-probabilities of the question were requested
 */
public record ChatAnswer(
        String id, @Nullable String text, String finish, List<Position> positions, Optional<TokenLogprob> promptTail) {
    private static final JsonMapper STRICT = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(32)
                            .maxNumberLength(64)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Finish reasons of an answer that the scorer did not complete by itself. */
    private static final Set<String> BROKEN_OFF =
            Set.of("error", "abort", "content_filter", "tool_calls", "function_call");

    public ChatAnswer {
        positions = List.copyOf(positions);
    }

    /** One written token and its alternatives. */
    public record Position(String token, List<TokenLogprob> alternatives) {
        public Position {
            alternatives = List.copyOf(alternatives);
        }
    }

    public static ChatAnswer parse(ByteBuffer body) throws FaultyAnswerException {
        JsonNode answer = parseObject(body);
        if (answer.hasNonNull("error") || answer.path("object").asText("").equals("error")) {
            throw fault("error-answer", "HTTP 200 with an error: " + errorMessage(answer));
        }
        JsonNode choices = answer.path("choices");
        if (!choices.isArray()) {
            throw fault("bad-shape", "choices is " + kind(choices) + ", not an array");
        }
        if (choices.size() != 1) {
            String code = choices.isEmpty() ? "no-choices" : "several-choices";
            throw fault(code, choices.size() + " choices where one was asked for");
        }
        JsonNode choice = choices.get(0);
        JsonNode index = choice.path("index");
        if (!index.isMissingNode() && !index.isNull() && !(index.isInt() && index.intValue() == 0)) {
            throw fault("bad-shape", "the only choice has index " + index);
        }
        String finish = optionalText(choice, "finish_reason");
        if (BROKEN_OFF.contains(finish)) {
            throw fault("broken-off", "the scorer stopped with finish_reason " + finish);
        }
        JsonNode message = choice.path("message");
        if (!message.isObject()) {
            throw fault("bad-shape", "message is " + kind(message) + ", not an object");
        }
        JsonNode content = message.path("content");
        if (!content.isTextual() && !content.isNull() && !content.isMissingNode()) {
            throw fault("bad-shape", "message.content is " + kind(content) + ", not a text");
        }
        String text = content.isTextual() ? content.textValue() : null;
        return new ChatAnswer(
                optionalText(answer, "id"),
                text,
                finish,
                positions(choice.path("logprobs")),
                promptTail(answer.path("prompt_logprobs")));
    }

    private static Optional<TokenLogprob> promptTail(JsonNode prompt) throws FaultyAnswerException {
        JsonNode last = prompt.path(prompt.size() - 1);
        if (!last.isObject() || last.size() != 1) {
            return Optional.empty();
        }
        JsonNode told = last.elements().next();
        JsonNode token = told.path("decoded_token");
        return token.isTextual() ? Optional.of(new TokenLogprob(token.textValue(), logprob(told))) : Optional.empty();
    }

    /**
     * The first model that {@code /v1/models} lists.
     *
     * @param owner {@code vllm} where vLLM serves it; empty if the list does not contain it
     */
    public record ListedModel(String id, String owner) {}

    public static ListedModel firstModel(ByteBuffer body) throws FaultyAnswerException {
        JsonNode first = parseObject(body).path("data").path(0);
        JsonNode id = first.path("id");
        if (!id.isTextual() || id.textValue().isEmpty()) {
            throw fault("bad-shape", "/v1/models lists no model");
        }
        return new ListedModel(id.textValue(), first.path("owned_by").asText(""));
    }

    /** Returns the message of a refusal, in any of the forms that servers use. */
    public static String errorMessage(ByteBuffer body) {
        try {
            return errorMessage(parseObject(body));
        } catch (FaultyAnswerException e) {
            return StandardCharsets.UTF_8.decode(body.duplicate()).toString();
        }
    }

    private static String errorMessage(JsonNode answer) {
        JsonNode error = answer.path("error");
        JsonNode message = error.isObject() ? error.path("message") : error;
        if (!message.isTextual()) {
            message = answer.path("message").isTextual() ? answer.path("message") : answer.path("detail");
        }
        return message.isTextual() ? message.textValue() : answer.toString();
    }

    private static List<Position> positions(JsonNode logprobs) throws FaultyAnswerException {
        JsonNode content = logprobs.path("content");
        if (content.isMissingNode() || content.isNull()) {
            return List.of();
        }
        if (!content.isArray()) {
            throw fault("bad-shape", "logprobs.content is " + kind(content) + ", not an array");
        }
        List<Position> positions = new ArrayList<>(content.size());
        for (JsonNode position : content) {
            JsonNode top = position.path("top_logprobs");
            if (!top.isArray() && !top.isMissingNode() && !top.isNull()) {
                throw fault("bad-shape", "top_logprobs is " + kind(top) + ", not an array");
            }
            List<TokenLogprob> alternatives = new ArrayList<>(top.size());
            for (JsonNode alternative : top) {
                if (alternative.path("token").isTextual()) { // an entry without text is not a label
                    alternatives.add(new TokenLogprob(token(alternative), logprob(alternative)));
                }
            }
            positions.add(new Position(token(position), alternatives));
        }
        return positions;
    }

    private static String token(JsonNode node) throws FaultyAnswerException {
        JsonNode token = node.path("token");
        if (!token.isTextual()) {
            throw fault("wrong-type", "token is " + kind(token) + ", not a text");
        }
        return token.textValue();
    }

    /** Returns {@link TokenLogprob#NONE} for {@code null}: only a label needs a value. */
    private static double logprob(JsonNode node) throws FaultyAnswerException {
        JsonNode logprob = node.path("logprob");
        if (logprob.isNull() || logprob.isMissingNode()) {
            return TokenLogprob.NONE;
        }
        if (!logprob.isNumber()) {
            throw fault("wrong-type", "logprob is " + kind(logprob) + ", not a number");
        }
        return logprob.doubleValue();
    }

    private static String optionalText(JsonNode node, String field) throws FaultyAnswerException {
        JsonNode text = node.path(field);
        if (text.isMissingNode() || text.isNull()) {
            return "";
        }
        if (!text.isTextual()) {
            throw fault("wrong-type", field + " is " + kind(text) + ", not a text");
        }
        return text.textValue();
    }

    public static JsonNode parseObject(ByteBuffer body) throws FaultyAnswerException {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(body.duplicate()).toString();
        } catch (CharacterCodingException e) {
            throw fault("bad-utf8", "the answer's " + body.remaining() + " bytes are not UTF-8");
        }
        JsonNode node;
        try {
            node = STRICT.readTree(text);
        } catch (JsonProcessingException e) {
            throw fault("bad-json", ErrorReason.of(e));
        }
        if (!node.isObject()) {
            throw fault("bad-shape", "the answer is " + kind(node) + ", not an object");
        }
        return node;
    }

    private static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case MISSING -> "missing";
            case NULL -> "null";
            case ARRAY -> "an array";
            case OBJECT, POJO -> "an object";
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case BINARY -> "bytes";
        };
    }

    private static FaultyAnswerException fault(String code, String detail) {
        return new FaultyAnswerException(ScorerFault.passing(code, detail));
    }
}
