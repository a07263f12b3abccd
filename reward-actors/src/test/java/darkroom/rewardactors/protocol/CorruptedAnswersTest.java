package darkroom.rewardactors.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.protocol.LabelScore.Believed;
import darkroom.rewardactors.protocol.LabelScore.Reading;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** P-3: the result of reading a corrupted answer is the true score, or none. */
class CorruptedAnswersTest {
    /** {@code -Ddarkroom.fuzz.answers=500000} raises it to a million, in a minute. */
    private static final int ANSWERS = Integer.getInteger("darkroom.fuzz.answers", 50_000);

    private static final int TOKENS = 24;
    private static final JsonMapper JSON = new JsonMapper();
    private static final ScoringMethod METHOD = ScoringMethod.of(Method.SCORE_LOGIT);

    /** Ways in which an answer differs from the intended one. */
    private enum Corruption {
        CUT_OFF,
        A_BYTE_OF_THE_FRAME_LOST,
        NO_NUMBER,
        POSITIVE,
        NO_VALUE,
        NUMBER_AS_TEXT,
        LABEL_MISSING,
        LABEL_RENAMED,
        LABEL_TWICE,
        ANOTHER_ORDER,
        ERROR_IN_A_200,
        TWO_CHOICES,
        KEY_TWICE,
        NO_LOGPROBS,
        INVALID_UTF8,
        TWO_ANSWERS
    }

    /** @param exact whether the answer must have all labels; if not, a missing one is not among its likeliest tokens */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_corrupted_answer_is_the_true_score_or_none(boolean exact) {
        Random chance = new Random(exact ? 1 : 2);
        Map<Corruption, Integer> believed = new EnumMap<>(Corruption.class);
        Corruption[] all = Corruption.values();
        for (int i = 0; i < ANSWERS; i++) {
            Corruption corruption = all[chance.nextInt(all.length)];
            if (!exact && (corruption == Corruption.LABEL_MISSING || corruption == Corruption.LABEL_RENAMED)) {
                continue;
            }
            double[] logprobs = logprobs(chance);
            Reading reading = read(corrupted(corruption, logprobs, chance), exact);
            if (reading instanceof Believed(double score, double mass)) {
                believed.merge(corruption, 1, Integer::sum);
                assertThat(score).as("%s of answer %d", corruption, i).isCloseTo(truth(logprobs), within(1e-9));
            }
        }
        assertThat(believed.keySet())
                .as("a corruption that changes nothing is believed, no other is")
                .isSubsetOf(Corruption.ANOTHER_ORDER, Corruption.LABEL_TWICE);
        assertThat(believed.get(Corruption.ANOTHER_ORDER)).isPositive();
    }

    private static Reading read(byte[] body, boolean exact) {
        try {
            return METHOD.read(ChatAnswer.parse(ByteBuffer.wrap(body)), .05, exact);
        } catch (FaultyAnswerException e) {
            return new LabelScore.Refused(e.fault().code(), e.fault().detail(), 0);
        }
    }

    /** Log-probabilities of the labels 0 to 5, .2 to .95 together. */
    private static double[] logprobs(Random chance) {
        double[] p = new double[6];
        double sum = 0;
        for (int k = 0; k < p.length; k++) {
            p[k] = Math.exp(4 * chance.nextGaussian());
            sum += p[k];
        }
        double mass = .2 + .75 * chance.nextDouble();
        for (int k = 0; k < p.length; k++) {
            p[k] = Math.log(Math.max(p[k] / sum * mass, 1e-12));
        }
        return p;
    }

    private static double truth(double[] logprobs) {
        double expected = 0;
        double mass = 0;
        for (int k = 0; k < logprobs.length; k++) {
            expected += k * Math.exp(logprobs[k]);
            mass += Math.exp(logprobs[k]);
        }
        return expected / mass / 5;
    }

    private static byte[] corrupted(Corruption corruption, double[] logprobs, Random chance) {
        int k = chance.nextInt(6);
        ObjectNode answer = answer(logprobs, corruption == Corruption.ANOTHER_ORDER, chance);
        ArrayNode top = (ArrayNode) answer.at("/choices/0/logprobs/content/0/top_logprobs");
        ObjectNode label = (ObjectNode) top.get(k);
        switch (corruption) {
            case POSITIVE -> label.put("logprob", .01 + chance.nextDouble() * 5);
            case NO_VALUE -> label.put("logprob", -9999.0 - chance.nextInt(2));
            case NUMBER_AS_TEXT -> label.put("logprob", label.path("logprob").asText());
            case LABEL_MISSING -> top.remove(k);
            case LABEL_RENAMED -> label.put("token", " " + k);
            case LABEL_TWICE -> top.add(label.deepCopy().put("logprob", -1 - chance.nextDouble()));
            case ERROR_IN_A_200 -> answer.putObject("error").put("message", "out of memory");
            case TWO_CHOICES ->
                ((ArrayNode) answer.get("choices")).add(answer.at("/choices/0").deepCopy());
            case NO_LOGPROBS -> ((ObjectNode) answer.at("/choices/0")).putNull("logprobs");
            default -> {}
        }
        String text = answer.toString();
        String value = label.path("logprob").toString();
        text = switch (corruption) {
            case CUT_OFF -> text.substring(0, chance.nextInt(text.length()));
            case NO_NUMBER ->
                text.replace(
                        ":" + value,
                        ":" + List.of("NaN", "Infinity", "-Infinity", "null").get(chance.nextInt(4)));
            case KEY_TWICE -> text.replace("\"object\":", "\"id\":\"chatcmpl-another\",\"object\":");
            case TWO_ANSWERS -> text + text;
            case A_BYTE_OF_THE_FRAME_LOST -> withoutOneOf("{}[]:,\"", text, chance);
            default -> text;
        };
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (corruption == Corruption.INVALID_UTF8) {
            bytes[text.indexOf("simulated") + chance.nextInt(9)] = (byte) (0xf8 + chance.nextInt(8));
        }
        return bytes;
    }

    private static String withoutOneOf(String frame, String text, Random chance) {
        int at = chance.nextInt(text.length());
        while (frame.indexOf(text.charAt(at)) < 0) {
            at = (at + 1) % text.length();
        }
        return text.substring(0, at) + text.substring(at + 1);
    }

    private static ObjectNode answer(double[] logprobs, boolean shuffled, Random chance) {
        ObjectNode answer = JSON.createObjectNode().put("id", "chatcmpl-1").put("object", "chat.completion");
        answer.put("model", "simulated");
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", "3");
        choice.put("finish_reason", "length");
        ObjectNode position = choice.putObject("logprobs").putArray("content").addObject();
        position.put("token", "3").put("logprob", logprobs[3]);
        List<TokenLogprob> told = new ArrayList<>();
        for (int k = 0; k < logprobs.length; k++) {
            told.add(new TokenLogprob(Integer.toString(k), logprobs[k]));
        }
        for (int i = told.size(); i < TOKENS; i++) {
            told.add(new TokenLogprob("word" + i, -6.0 - i));
        }
        if (shuffled) {
            Collections.shuffle(told, chance);
        }
        ArrayNode top = position.putArray("top_logprobs");
        told.forEach(one -> top.addObject().put("token", one.token()).put("logprob", one.logprob()));
        return answer;
    }
}
