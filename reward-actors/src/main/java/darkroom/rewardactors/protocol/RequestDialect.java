package darkroom.rewardactors.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Selects the optional fields of a question to a server. Each of them only repeats a neutral default, so that a question
 * without them is the same question to a server with neutral defaults; strict servers refuse a field that they do not know.
 *
 * @param vllm whether the server accepts the sampling fields that vLLM adds to OpenAI's protocol
 * @param refused fields that the server has refused by name
 */
public record RequestDialect(boolean vllm, Set<String> refused) {
    /** A server that is not known to be vLLM. */
    static final RequestDialect OPENAI = new RequestDialect(false, Set.of());

    static final RequestDialect VLLM = new RequestDialect(true, Set.of());

    private static final String TOKENS_MAX = "max_tokens";
    private static final String COMPLETION_TOKENS_MAX = "max_completion_tokens";

    /** Fields of vLLM alone, with neutral values. */
    private static final Map<String, Number> OF_VLLM = neutralOfVllm();

    /** Fields that may be left out, except the last: it has another name in newer versions of the protocol. */
    private static final Set<String> OPTIONAL = Set.of(
            "top_p",
            "presence_penalty",
            "frequency_penalty",
            "n",
            "stream",
            "seed",
            "temperature",
            "top_k",
            "min_p",
            "repetition_penalty",
            TOKENS_MAX);

    public RequestDialect {
        refused = Set.copyOf(refused);
    }

    private static Map<String, Number> neutralOfVllm() {
        Map<String, Number> neutral = new LinkedHashMap<>();
        neutral.put("top_k", -1);
        neutral.put("min_p", 0);
        neutral.put("repetition_penalty", 1);
        return neutral;
    }

    /** Adds vLLM's fields for vLLM, then removes from a body the fields that the server refuses. */
    public void applyTo(ObjectNode body) {
        if (vllm) {
            OF_VLLM.forEach((field, value) -> body.put(field, value.intValue()));
        }
        if (refused.contains(TOKENS_MAX) && body.has(TOKENS_MAX)) {
            body.set(COMPLETION_TOKENS_MAX, body.get(TOKENS_MAX));
        }
        body.remove(refused);
    }

    /**
     * Returns the fields of a body that a refusal names and that may be left out without changing the question.
     *
     * @param said the whole text of the refusal
     */
    public static Set<String> refusedBy(String said, ObjectNode body) {
        Set<String> named = new TreeSet<>();
        for (String field : OPTIONAL) {
            boolean neutral = !field.equals("temperature") || isOne(body.path(field));
            if (body.has(field)
                    && neutral
                    && Pattern.compile("(?<![\\w-])" + field + "(?![\\w-])")
                            .matcher(said)
                            .find()) {
                named.add(field);
            }
        }
        return named;
    }

    private static boolean isOne(JsonNode value) {
        return value.isNumber() && value.doubleValue() == 1;
    }

    public RequestDialect without(Set<String> fields) {
        Set<String> all = new TreeSet<>(refused);
        all.addAll(fields);
        return new RequestDialect(vllm, all);
    }
}
