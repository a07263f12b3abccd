package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the text of the network follows its sizes. */
final class DitScriptTest {
    private static final Pattern ANGLES = Pattern.compile("torch\\.arange\\((\\d+), dtype=6\\), (-[0-9.E-]+)\\)");

    @ParameterizedTest
    @ValueSource(ints = {128, 64, 32, 256})
    void the_frequencies_of_time_span_the_same_range_whatever_their_number(int timeDim) {
        String script = DitScript.of(DitShape.embedded(32, 10, 248), timeDim);
        Matcher angles = ANGLES.matcher(script);
        assertThat(angles.find()).isTrue();
        int count = Integer.parseInt(angles.group(1));
        assertThat(count).isEqualTo(timeDim / 2);
        assertThat(Math.exp(count * Double.parseDouble(angles.group(2)))).isBetween(0.9999999e-4, 1.0000001e-4);
        assertThat(script).contains("p, 6, " + timeDim + ")").doesNotContain("${");
    }
}
