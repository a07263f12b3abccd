package darkroom.rewardactors.protocol;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.LabelScore.Believed;
import darkroom.rewardactors.protocol.LabelScore.Reading;
import darkroom.rewardactors.protocol.LabelScore.Refused;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Location of the number in the answer of a scorer with its own protocol, and its scale: {@code low} becomes score 0 and
 * {@code high} 1. A number outside the scale, or a missing one, gives no score.
 *
 * @param text finds the number in a text, as its only group; the last match counts
 * @param json points to the number in a JSON answer
 */
public record AnswerNumber(Pattern text, JsonPointer json, double low, double high) {
    /** Used by methods that read labels. */
    static final AnswerNumber NONE = new AnswerNumber(Pattern.compile("()"), JsonPointer.empty(), 0, 1);

    private static final int SHOWN_MAX = 80;

    /**
     * @throws IllegalArgumentException if {@code scoring.answer} is not a regular expression with one group, or not a JSON
     *     pointer
     */
    static AnswerNumber of(ScoringSettings settings) {
        String where = settings.answer();
        return switch (settings.method()) {
            case PATTERN -> new AnswerNumber(pattern(where), JsonPointer.empty(), settings.low(), settings.high());
            case ADAPTER -> new AnswerNumber(NONE.text, pointer(where), settings.low(), settings.high());
            default -> NONE;
        };
    }

    private static Pattern pattern(String where) {
        try {
            Pattern pattern = Pattern.compile(where, Pattern.MULTILINE);
            int groups = pattern.matcher("").groupCount();
            if (groups != 1) {
                throw new IllegalArgumentException(
                        "scoring.answer=\"%s\" has %d groups; one, around the number, is needed"
                                .formatted(where, groups));
            }
            return pattern;
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "scoring.answer=\"%s\" is not a regular expression: %s".formatted(where, e.getDescription()), e);
        }
    }

    private static JsonPointer pointer(String where) {
        try {
            return JsonPointer.compile(where);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "scoring.answer=\"%s\" is no JSON pointer such as /score: %s".formatted(where, ErrorReason.of(e)),
                    e);
        }
    }

    /** Returns the last number that the pattern finds: a model that reasons mentions others before. */
    Reading in(String answer) {
        Matcher matcher = text.matcher(answer);
        String found = null;
        while (matcher.find()) {
            found = matcher.group(1);
        }
        if (found == null) {
            return new Refused("bad-number", "nothing matches " + text + ": " + shown(answer), 0);
        }
        try {
            return scaled(Double.parseDouble(found));
        } catch (NumberFormatException e) {
            return new Refused("bad-number", "what " + text + " finds is not a number: " + shown(found), 0);
        }
    }

    /** Returns the number that the pointer refers to. */
    public Reading in(JsonNode answer) {
        JsonNode found = answer.at(json);
        return found.isNumber()
                ? scaled(found.doubleValue())
                : new Refused("bad-number", "no number at " + json + ": " + shown(answer.toString()), 0);
    }

    private Reading scaled(double number) {
        if (!(number >= low && number <= high)) {
            return new Refused("out-of-range", number + " is not in " + low + " to " + high, 0);
        }
        return new Believed((number - low) / (high - low), 1);
    }

    private static String shown(String text) {
        String line = text.strip();
        return '"' + (line.length() <= SHOWN_MAX ? line : "..." + line.substring(line.length() - SHOWN_MAX)) + '"';
    }
}
