package darkroom.rewardactors.protocol;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The JSON of a question to {@code /v1/chat/completions}: the system message, then original, edited, reference picture and
 * the text, in the paper's order, so that a server's prefix cache serves all edits of one source. Neutral sampling settings
 * are sent, because a server's own defaults change its answers. {@link RequestDialect} adds and removes fields that not every
 * server accepts.
 */
public final class ChatBody {
    private static final JsonMapper JSON = new JsonMapper();

    /** Number of alternatives that servers return without being configured for more. */
    private static final int TOP_LOGPROBS = 20;

    private ChatBody() {}

    /**
     * Returns a question about labels.
     *
     * @param jpegQuality of the pictures; 0 for PNG
     * @param labels whose log-probabilities are requested
     * @param ids of these labels, if {@code logprob source} is {@link LogprobSource#TOKEN_IDS}
     */
    public static ObjectNode of(
            ScorerCall call,
            ScoringMethod method,
            String model,
            int jpegQuality,
            LogprobSource logprobSource,
            List<LabelSet.Label> labels,
            List<Integer> ids) {
        ObjectNode body = plain(call, method, model, jpegQuality);
        if (!method.logprobs()) {
            return body;
        }
        switch (logprobSource) {
            case TOKEN_IDS -> {
                body.put("logprobs", true);
                ArrayNode wanted = body.putArray("logprob_token_ids");
                ids.forEach(wanted::add);
            }
            case CHOICE -> {
                body.put("logprobs", true).put("top_logprobs", labels.size());
                ArrayNode choice = body.putObject("structured_outputs").putArray("choice");
                labels.forEach(label -> choice.add(label.token()));
            }
            case TOP -> body.put("logprobs", true).put("top_logprobs", TOP_LOGPROBS);
            case PROMPT -> throw new IllegalArgumentException("a question a label: see ofLabel");
        }
        return body;
    }

    /** Returns a question for the log-probability of a label at the start of the answer: {@link LogprobSource#PROMPT}. */
    public static ObjectNode ofLabel(
            ScorerCall call, ScoringMethod method, String model, int jpegQuality, LabelSet.Label label) {
        ObjectNode body = plain(call, method, model, jpegQuality);
        body.withArray("messages").addObject().put("role", "assistant").put("content", label.token());
        body.put("continue_final_message", true).put("add_generation_prompt", false);
        body.put("prompt_logprobs", 0);
        return body;
    }

    /**
     * Returns a question to an adapter: {@code instruction}, {@code requirement}, {@code task}, and the pictures as data
     * URLs.
     */
    public static byte[] ofAdapter(ScorerCall call, int jpegQuality) {
        ScoreRequest request = call.request();
        ObjectNode body = JSON.createObjectNode();
        body.put("instruction", request.instruction());
        body.put("requirement", request.requirement());
        body.put("task", request.task());
        body.put("source", url(request.source(), jpegQuality));
        body.put("edited", url(request.edited(), jpegQuality));
        body.put("reference", request.reference() == null ? null : url(request.reference(), jpegQuality));
        return bytes(body);
    }

    private static ObjectNode plain(ScorerCall call, ScoringMethod method, String model, int jpegQuality) {
        ObjectNode body = JSON.createObjectNode();
        body.put("model", model);
        ArrayNode messages = body.putArray("messages");
        if (!method.system().isEmpty()) {
            messages.addObject().put("role", "system").put("content", method.system());
        }
        ArrayNode content = messages.addObject().put("role", "user").putArray("content");
        ScoreRequest request = call.request();
        addImage(content, request.source(), jpegQuality);
        addImage(content, request.edited(), jpegQuality);
        if (request.reference() != null) {
            addImage(content, request.reference(), jpegQuality);
        }
        content.addObject().put("type", "text").put("text", call.text());
        body.put("max_tokens", method.tokensMax());
        body.put("n", 1);
        body.put("stream", false);
        if (method.samples()) {
            body.put("seed", call.key());
        }
        body.put("temperature", method.temperature());
        body.put("top_p", 1);
        body.put("presence_penalty", 0);
        body.put("frequency_penalty", 0);
        return body;
    }

    private static void addImage(ArrayNode content, PngImage image, int jpegQuality) {
        content.addObject().put("type", "image_url").putObject("image_url").put("url", url(image, jpegQuality));
    }

    private static String url(PngImage image, int jpegQuality) {
        return jpegQuality == 0 ? image.toDataUrl() : image.toJpegUrl(jpegQuality);
    }

    public static byte[] bytes(ObjectNode body) {
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }
}
