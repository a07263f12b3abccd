package darkroom.rewardactors.judge;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.rewardactors.protocol.TokenLogprob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The judge's answer, written like that of a language model: tokens, each with its log-probability and alternatives, all
 * consistent with the judge's logits. "Yes" is as likely as the labels 3, 4 and 5 together.
 */
final class JudgeAnswer {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int YES_FROM = 3;

    private JudgeAnswer() {}

    /** One written token; the alternatives are ordered by probability and include the token. */
    private record Written(String token, List<TokenLogprob> alternatives) {
        static Written certain(String token) {
            return new Written(token, List.of(new TokenLogprob(token, 0)));
        }

        double logprob() {
            return alternatives.stream()
                    .filter(alternative -> alternative.token().equals(token))
                    .mapToDouble(TokenLogprob::logprob)
                    .findFirst()
                    .orElseThrow();
        }
    }

    /**
     * Returns a chat completion.
     *
     * @param logits over the labels "0" to "5"
     * @throws IllegalArgumentException unless they are six finite numbers
     */
    static ObjectNode of(ChatQuestion question, float[] logits, String model, String id) {
        double[] logprobs = logSoftmax(logits);
        List<Written> written = new ArrayList<>();
        switch (question.form()) {
            case SCORE -> written.add(label(scores(logprobs), question));
            case YES_NO -> written.add(label(yesNo(logprobs), question));
            case REASONED_SCORE -> {
                reasoning(logprobs).forEach(token -> written.add(Written.certain(token)));
                written.add(label(scores(logprobs), question));
            }
        }
        List<Written> told = written.subList(0, Math.min(written.size(), question.tokensMax()));
        return completion(question, told, model, id);
    }

    private static ObjectNode completion(ChatQuestion question, List<Written> told, String model, String id) {
        ObjectNode answer = JSON.createObjectNode().put("id", id).put("object", "chat.completion");
        answer.put("created", 0).put("model", model);
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0);
        StringBuilder text = new StringBuilder();
        told.forEach(token -> text.append(token.token()));
        choice.putObject("message").put("role", "assistant").put("content", text.toString());
        if (question.topLogprobs() >= 0) {
            ArrayNode content = choice.putObject("logprobs").putArray("content");
            told.forEach(token -> put(content.addObject(), token, question.topLogprobs()));
        } else {
            choice.putNull("logprobs");
        }
        choice.put("finish_reason", told.size() < question.tokensMax() ? "stop" : "length");
        answer.putObject("usage").put("completion_tokens", told.size());
        return answer;
    }

    private static void put(ObjectNode position, Written written, int topLogprobs) {
        position.put("token", written.token()).put("logprob", written.logprob());
        ArrayNode top = position.putArray("top_logprobs");
        written.alternatives().stream().limit(topLogprobs).forEach(alternative -> top.addObject()
                .put("token", alternative.token())
                .put("logprob", alternative.logprob()));
    }

    private static List<TokenLogprob> scores(double[] logprobs) {
        List<TokenLogprob> scores = new ArrayList<>();
        for (int k = 0; k < logprobs.length; k++) {
            scores.add(new TokenLogprob(Integer.toString(k), logprobs[k]));
        }
        return scores;
    }

    private static List<TokenLogprob> yesNo(double[] logprobs) {
        return List.of(
                new TokenLogprob("No", logSum(logprobs, 0, YES_FROM)),
                new TokenLogprob("Yes", logSum(logprobs, YES_FROM, logprobs.length)));
    }

    private static List<String> reasoning(double[] logprobs) {
        double expected = 0;
        for (int k = 0; k < logprobs.length; k++) {
            expected += k * Math.exp(logprobs[k]);
        }
        String how = expected < 1.5 ? " hardly" : expected < 3.5 ? " partly" : " well";
        return List.of(
                "Reasoning",
                ":",
                " the",
                " edit",
                " follows",
                " the",
                " instruction",
                how,
                ".",
                "\n",
                "Score",
                ":",
                " ");
    }

    /** Draws a label by the request's key, so that the same request gets the same answer. */
    private static Written label(List<TokenLogprob> labels, ChatQuestion question) {
        List<TokenLogprob> likeliestFirst = labels.stream()
                .sorted(Comparator.comparingDouble(TokenLogprob::logprob).reversed())
                .toList();
        TokenLogprob generated = likeliestFirst.getFirst();
        if (question.temperature() > 0) {
            double[] weights = likeliestFirst.stream()
                    .mapToDouble(label -> Math.exp(
                            (label.logprob() - likeliestFirst.getFirst().logprob()) / question.temperature()))
                    .toArray();
            double rest = uniform(question.key()) * Arrays.stream(weights).sum();
            for (int i = 0; i < weights.length && rest >= 0; i++) {
                generated = likeliestFirst.get(i);
                rest -= weights[i];
            }
        }
        return new Written(generated.token(), likeliestFirst);
    }

    private static double uniform(long key) {
        long mixed = (key ^ (key >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return ((mixed ^ (mixed >>> 31)) >>> 11) * 0x1p-53;
    }

    private static double[] logSoftmax(float[] logits) {
        if (logits.length != 6) {
            throw new IllegalArgumentException("the judge gave " + logits.length + " logits; 6 are needed");
        }
        double[] values = new double[logits.length];
        for (int k = 0; k < logits.length; k++) {
            if (!Float.isFinite(logits[k])) {
                throw new IllegalArgumentException("the judge's logit of label " + k + " is " + logits[k]);
            }
            values[k] = logits[k];
        }
        double all = logSum(values, 0, values.length);
        for (int k = 0; k < values.length; k++) {
            values[k] -= all;
        }
        return values;
    }

    private static double logSum(double[] values, int from, int to) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int k = from; k < to; k++) {
            largest = Math.max(largest, values[k]);
        }
        double sum = 0;
        for (int k = from; k < to; k++) {
            sum += Math.exp(values[k] - largest);
        }
        return largest + Math.log(sum);
    }
}
