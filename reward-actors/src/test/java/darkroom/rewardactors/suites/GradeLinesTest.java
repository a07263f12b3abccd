package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.rewardactors.protocol.FaultyAnswerException;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NotBlank;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GradeLinesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Reasoning: good\nPrompt Compliance: 4\nVisual Naturalness: 3\nPhysical & Detail Integrity: 2",
                "Prompt Compliance: 4\r\nVisual Naturalness: 3\r\nPhysical & Detail Integrity: 2\r\n",
                "**Prompt Compliance:** 4\n**Visual Naturalness:** 3\n**Physical & Detail Integrity**: 2",
                "- Prompt Compliance : 4\n- Visual Naturalness:3\n* _Physical Integrity:_  `2`  ",
                "1. Compliance: 4\n2. Naturalness: 3\n3. Integrity: 2",
                "### Compliance (1-5): 4\nNaturalness\uFF1A3\n> Integrity: 2",
                "<think>\nA: 1\nB: 1\nC: 1\n</think>\nA: 4\nB: 3\nC: 2",
                "Reasoning: at 12:30 it was 4\nA: 4\n\nB: 3\n\nC: 2\nTotal: nine"
            })
    void three_grades_are_read_whatever_stands_around_them(String text) throws FaultyAnswerException {
        assertThat(GradeLines.read(text)).containsExactly(4.0, 3.0, 2.0);
    }

    @ParameterizedTest
    @CsvSource({
        "'', no-grades",
        "'I cannot judge this.', no-grades",
        "'4 3 2', no-grades",
        "'A: 4\nB: 3', no-grades",
        "'A: 4\nB: 3\nC: 2\nOverall: 3', no-grades",
        "'A: 4\nB: 3\nC: 2/5', no-grades",
        "'A: 4\nB: 3\nC: 2.5', no-grades",
        "'A: 4\nB: 3\nC: 2 since it floats', no-grades",
        "'A: 4\nB: 3\nC: -2', no-grades",
        "'A: B: 4\nC: 3\nD: 2', no-grades",
        "'A: 4\nB: 3\nC: 0', out-of-range",
        "'A: 4\nB: 6\nC: 2', out-of-range",
        "'A: 4\nB: 55\nC: 2', out-of-range",
        "'A: 4\nB: 99999999999999999999\nC: 2', out-of-range",
        "'A: 4\nB: 3\nC: 2\nA: 4', double-grade",
        "'A: 4\na: 3\nC: 2', double-grade",
        "'A: 4\nB: 3\nC: 2</think>', no-grades"
    })
    void what_is_not_exactly_three_grades_is_none(String text, String code) {
        assertThatThrownBy(() -> GradeLines.read(text))
                .isInstanceOf(FaultyAnswerException.class)
                .hasMessageStartingWith(code + ": ");
    }

    /** Three lines in the form of the public script are read as the script reads them. */
    @Property
    void the_published_form_is_read_as_published(
            @ForAll @IntRange(min = 1, max = 5) int a,
            @ForAll @IntRange(min = 1, max = 5) int b,
            @ForAll @IntRange(min = 1, max = 5) int c,
            @ForAll @AlphaChars @NotBlank String name)
            throws FaultyAnswerException {
        List<String> lines = List.of(name + "x: " + a, name + "y: " + b, name + "z: " + c);
        String text = "Brief reasoning: words\n" + String.join("\n", lines);
        List<Double> published = text.lines()
                .map(line -> line.strip().split(": "))
                .filter(parts -> parts.length == 2 && parts[1].matches("\\d+"))
                .map(parts -> Double.valueOf(parts[1]))
                .toList();
        assertThat(GradeLines.read(text)).isEqualTo(published);
    }
}
