package darkroom.rewardactors.suites;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.protocol.ScorerFault;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Reads the answer of a judge of GEdit-Bench (VIEScore): {@code {"score": [a, b], "reasoning": "..."}}.
 *
 * <p>The object is the whole text, or the content of its only fenced block, or else the text between its first opening and
 * its last closing brace; so two objects are rejected. Line breaks within the reasoning and a missing reasoning are allowed.
 * The reasoning of a model, up to the last {@code </think>}, is not read. There must be exactly {@link #SCORES} numbers, each
 * from 0 to {@link #HIGHEST}. The public script takes random numbers where it finds none (arXiv 2504.17761's {@code
 * viescore}); here that is a fault.
 */
final class ScoreObject {
    static final int SCORES = 2;
    static final int HIGHEST = 10;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Pattern FENCED = Pattern.compile("(?s)```[A-Za-z]*\\s(.*?)```");

    /**
     * A part of an answer that may be the object.
     *
     * @param name for display
     */
    private record Candidate(String name, String text) {}

    private ScoreObject() {}

    static List<Double> read(String text) throws FaultyAnswerException {
        JsonNode score = object(text).path("score");
        if (!score.isArray() || score.size() != SCORES) {
            throw fault("no-scores", "\"score\" is not a list of %d numbers, in: %s".formatted(SCORES, text));
        }
        List<Double> scores = new ArrayList<>();
        for (JsonNode each : score) {
            if (!each.isNumber()) {
                throw fault("wrong-type", "score " + each + " is no number");
            }
            double value = each.doubleValue();
            if (!(value >= 0 && value <= HIGHEST)) {
                throw fault("out-of-range", "score " + each + " is not from 0 to " + HIGHEST);
            }
            scores.add(value);
        }
        return List.copyOf(scores);
    }

    private static JsonNode object(String answer) throws FaultyAnswerException {
        String why = "it has no {";
        for (Candidate candidate : candidates(JudgeText.withoutThoughts(answer).strip())) {
            try {
                JsonNode node = JSON.readTree(candidate.text());
                if (node.isObject()) {
                    return node;
                }
            } catch (JsonProcessingException e) {
                if (candidate.text().indexOf('{') >= 0) {
                    why = candidate.name() + ", " + ErrorReason.located(e);
                }
            }
        }
        throw fault("no-object", "no JSON object (%s) in: %s".formatted(why, answer));
    }

    private static List<Candidate> candidates(String text) {
        List<Candidate> candidates = new ArrayList<>();
        candidates.add(new Candidate("the whole text", text));
        List<MatchResult> fenced = FENCED.matcher(text).results().toList();
        if (fenced.size() == 1) {
            candidates.add(new Candidate("the fenced block", fenced.getFirst().group(1)));
        }
        int from = text.indexOf('{');
        int to = text.lastIndexOf('}');
        if (from >= 0 && from < to) {
            candidates.add(new Candidate("from the first { to the last }", text.substring(from, to + 1)));
        }
        return candidates;
    }

    private static FaultyAnswerException fault(String code, String detail) {
        return new FaultyAnswerException(ScorerFault.passing(code, detail));
    }
}
