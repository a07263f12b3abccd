package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.rewardactors.protocol.FaultyAnswerException;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreObjectTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"score\": [8, 9], \"reasoning\": \"fine\"}",
                "  {\"reasoning\": \"two\nlines\", \"score\": [8, 9]}\n",
                "{\"score\": [8.0, 9]}",
                "```json\n{\"score\": [8, 9], \"reasoning\": \"fine\"}\n```",
                "Here is my decision:\n```\n{\"score\": [8, 9]}\n```\nI hope {this} helps.",
                "My decision is {\"score\": [8, 9], \"reasoning\": \"a {brace}\"}, I think.",
                "<think>{\"score\": [1, 1]}</think>{\"score\": [8, 9]}"
            })
    void two_scores_are_read_whatever_stands_around_their_object(String text) throws FaultyAnswerException {
        assertThat(ScoreObject.read(text)).containsExactly(8.0, 9.0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | no-object",
                "8 and 9 | no-object",
                "[8, 9] | no-object",
                "{\"score\": [8, 9] | no-object",
                "{\"score\": [8, 9]} {\"score\": [1, 1]} | no-object",
                "{\"score\": [8, 9], \"score\": [1, 1]} | no-object",
                "{'score': [8, 9]} | no-object",
                "{\"scores\": [8, 9]} | no-scores",
                "{\"score\": 8} | no-scores",
                "{\"score\": [8]} | no-scores",
                "{\"score\": [8, 9, 9]} | no-scores",
                "{\"score\": [\"8\", 9]} | wrong-type",
                "{\"score\": [null, 9]} | wrong-type",
                "{\"score\": [8, 11]} | out-of-range",
                "{\"score\": [-1, 9]} | out-of-range",
                "{\"score\": [8, 1e999]} | out-of-range",
                "{\"score\": [8, NaN]} | no-object"
            })
    void what_is_not_exactly_two_scores_is_none(String text, String code) {
        assertThatThrownBy(() -> ScoreObject.read(text))
                .isInstanceOf(FaultyAnswerException.class)
                .hasMessageStartingWith(code + ": ");
    }

    @Property
    void every_pair_in_range_is_read_back(
            @ForAll @IntRange(max = 10) int a, @ForAll @IntRange(max = 10) int b, @ForAll boolean fenced)
            throws FaultyAnswerException {
        String object = "{\"score\" : [%d, %d],\n\"reasoning\" : \"...\"}".formatted(a, b);
        assertThat(ScoreObject.read(fenced ? "```json\n" + object + "\n```" : object))
                .isEqualTo(List.of((double) a, (double) b));
    }
}
