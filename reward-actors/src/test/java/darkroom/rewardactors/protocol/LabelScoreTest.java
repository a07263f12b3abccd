package darkroom.rewardactors.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.rewardactors.protocol.LabelScore.Believed;
import darkroom.rewardactors.protocol.LabelScore.Reading;
import darkroom.rewardactors.protocol.LabelScore.Refused;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabelScoreTest {
    private static final double MASS_MIN = .05;

    /** Copies of six of the golden cases: all labels, some, one, none, low mass, both methods. */
    static Stream<JsonNode> goldenCases() throws IOException {
        try (var in = LabelScoreTest.class.getResourceAsStream("label-scores.json")) {
            List<JsonNode> cases = new ArrayList<>();
            new JsonMapper().readTree(in).forEach(cases::add);
            return cases.stream();
        }
    }

    @ParameterizedTest
    @MethodSource("goldenCases")
    void golden_cases_pass(JsonNode golden) {
        List<TokenLogprob> alternatives = new ArrayList<>();
        for (JsonNode pair : golden.get("topLogprobs")) {
            alternatives.add(
                    new TokenLogprob(pair.get(0).textValue(), pair.get(1).doubleValue()));
        }
        boolean yesNo = golden.get("method").textValue().equals("yes-no-logit");
        Reading reading = LabelScore.of(alternatives, yesNo ? LabelSet.YES_NO : LabelSet.SCORES, MASS_MIN);
        JsonNode expected = golden.get("expected");
        assertThat(reading.mass()).isCloseTo(expected.get("mass").doubleValue(), within(1e-12));
        if (expected.get("scored").booleanValue()) {
            assertThat(((Believed) reading).score())
                    .isCloseTo(expected.get("score").doubleValue(), within(1e-12));
        } else {
            assertThat(reading).isInstanceOf(Refused.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" 5", "５", "10", "five", "5 ", "5\n", "", "+5", "5.0"})
    void what_only_looks_like_a_label_is_none(String token) {
        assertThat(refusal(List.of(new TokenLogprob(token, -.01))).code()).isEqualTo("no-labels");
    }

    @Test
    void an_absent_label_has_probability_zero() {
        assertThat(score(List.of(new TokenLogprob("3", -.5), new TokenLogprob("five", -1))))
                .isEqualTo(.6);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, .01, 0.9, 17})
    void a_value_that_is_no_logprob_spoils_the_answer_even_beside_the_labels(double value) {
        assertThat(refusal(List.of(new TokenLogprob("4", -.1), new TokenLogprob("hm", value)))
                        .code())
                .isEqualTo("bad-logprob");
    }

    @ParameterizedTest
    @ValueSource(doubles = {-9999, -10000, Double.NEGATIVE_INFINITY})
    void a_label_with_the_value_of_no_value_spoils_the_answer(double value) {
        assertThat(refusal(List.of(new TokenLogprob("4", -.1), new TokenLogprob("5", value)))
                        .code())
                .isEqualTo("bad-logprob");
    }

    @Test
    void no_value_on_a_token_that_is_no_label_changes_nothing() {
        assertThat(score(List.of(new TokenLogprob("4", -.1), new TokenLogprob("hm", -9999))))
                .isEqualTo(.8);
    }

    @Test
    void labels_with_more_than_the_whole_probability_are_a_lie() {
        assertThat(refusal(List.of(new TokenLogprob("4", -.1), new TokenLogprob("5", -.2)))
                        .code())
                .isEqualTo("excess-mass");
    }

    @Test
    void a_label_twice_counts_once_if_it_says_the_same_and_is_a_lie_if_not() {
        TokenLogprob four = new TokenLogprob("4", -.7);
        assertThat(score(List.of(four, new TokenLogprob("0", -.7), four))).isEqualTo(.4);
        assertThat(refusal(List.of(four, new TokenLogprob("4", -1.7))).code()).isEqualTo("double-label");
    }

    @Test
    void mass_below_the_minimum_is_refused_and_told() {
        Refused refused = refusal(List.of(new TokenLogprob("4", Math.log(.049))));
        assertThat(refused.code()).isEqualTo("low-mass");
        assertThat(refused.mass()).isCloseTo(.049, within(1e-12));
        assertThat(score(List.of(new TokenLogprob("4", Math.log(.051))))).isEqualTo(.8);
    }

    @Test
    void probabilities_too_small_for_a_double_are_no_mass() {
        assertThat(LabelScore.of(List.of(new TokenLogprob("4", -800)), LabelSet.SCORES, 0))
                .isInstanceOf(Refused.class);
    }

    /** Equations 10 and 11 by hand, for a label set that does not start at 0. */
    @Test
    void any_label_set_is_moved_to_zero_and_one() {
        LabelSet stars = new LabelSet(
                List.of(new LabelSet.Label("bad", 1), new LabelSet.Label("fair", 2), new LabelSet.Label("good", 4)));
        List<TokenLogprob> alternatives =
                List.of(new TokenLogprob("bad", Math.log(.2)), new TokenLogprob("good", Math.log(.6)));
        Believed believed = (Believed) LabelScore.of(alternatives, stars, MASS_MIN);
        assertThat(believed.score()).isCloseTo(((.25 * 1 + .75 * 4) - 1) / 3, within(1e-12));
        assertThat(believed.mass()).isCloseTo(.8, within(1e-12));
    }

    @Test
    void a_label_set_that_cannot_tell_edits_apart_is_refused() {
        assertThatThrownBy(() -> new LabelSet(List.of(new LabelSet.Label("a", 1), new LabelSet.Label("b", 1))))
                .hasMessageContaining("two different weights");
        assertThatThrownBy(() -> new LabelSet(List.of(new LabelSet.Label("a", 1), new LabelSet.Label("a", 2))))
                .hasMessageContaining("\"a\" is empty or stands twice");
    }

    @Property(tries = 300)
    void order_and_decoys_change_nothing(
            @ForAll @Size(6) List<@DoubleRange(min = -20, max = 0) Double> logits, @ForAll long seed) {
        double normaliser = Math.log(logits.stream().mapToDouble(Math::exp).sum() * 1.25);
        List<TokenLogprob> alternatives = new ArrayList<>();
        double expected = 0;
        for (int k = 0; k < 6; k++) {
            alternatives.add(new TokenLogprob(Integer.toString(k), logits.get(k) - normaliser));
            expected += k * Math.exp(logits.get(k) - normaliser) / .8 / 5;
        }
        alternatives.add(new TokenLogprob(" 5", Math.log(.1)));
        alternatives.add(new TokenLogprob("\n", -20000));
        Collections.shuffle(alternatives, new Random(seed));
        assertThat(score(alternatives)).isCloseTo(expected, within(1e-9)).isBetween(0.0, 1.0);
    }

    private static double score(List<TokenLogprob> alternatives) {
        return ((Believed) LabelScore.of(alternatives, LabelSet.SCORES, MASS_MIN)).score();
    }

    private static Refused refusal(List<TokenLogprob> alternatives) {
        return (Refused) LabelScore.of(alternatives, LabelSet.SCORES, MASS_MIN);
    }
}
