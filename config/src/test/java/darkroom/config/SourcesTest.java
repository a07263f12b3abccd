package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Every constant says where it is from: the paper, the public code, or us. */
class SourcesTest {
    private static final Pattern SECTION = Pattern.compile("\\s*([a-z0-9-]+) \\{|\\s*}");
    private static final Pattern OF_A_RECIPE = Pattern.compile(
            "\\s*(?:[a-z0-9-]+ = [^=]+?|include \"[a-z0-9-]+\\.conf\")\\s+# (?:paper|public|ours): \\S.*");
    private static final Pattern OF_A_DEFAULT =
            Pattern.compile("\\s*[a-z0-9-]+ = [^#]*?\\s*# (?:.*[;,] )?(?:(?:paper|public): \\S.*|ours\\b.*)");
    private static final Pattern SETTING = Pattern.compile("\\s*[a-z0-9-]+ = .*");
    /** They carry a run out; the file says once that they are ours. */
    private static final Set<String> OPERATION =
            Set.of("checkpoints", "ledger", "workers", "limits", "cluster", "faults", "inputs");

    @ParameterizedTest
    @FieldSource("darkroom.config.Recipes#SHIPPED")
    void every_line_of_a_recipe_says_its_source(String recipe) throws IOException {
        List<String> lines = lines("recipes/" + recipe + ".conf").stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .filter(line -> !SECTION.matcher(line).matches())
                .toList();
        assertThat(lines).isNotEmpty().allSatisfy(line -> assertThat(line).matches(OF_A_RECIPE));
    }

    @Test
    void every_default_that_decides_or_measures_a_result_says_its_source() throws IOException {
        Deque<String> sections = new ArrayDeque<>();
        int held = 0;
        for (String line : lines("defaults.conf")) {
            Matcher section = SECTION.matcher(line);
            if (section.matches()) {
                if (section.group(1) == null) {
                    sections.removeLast();
                } else {
                    sections.addLast(section.group(1));
                }
            } else if (SETTING.matcher(line).matches()
                    && (sections.isEmpty() || !OPERATION.contains(sections.getFirst()))) {
                assertThat(line).as("%s", sections).matches(OF_A_DEFAULT);
                held++;
            }
        }
        assertThat(held).isGreaterThan(70);
    }

    @Test
    void a_line_without_a_source_is_noticed() {
        for (String line : List.of(
                "steps = 300",
                "steps = 300  # training steps",
                "rollout { groups-per-step = 12, solver-steps = 5 }",
                "  a = 1, b = 2  # ours: two on a line",
                "  a = 1  # paper:")) {
            assertThat(line).doesNotMatch(OF_A_RECIPE);
        }
        assertThat("  a = 1  # a number of something").doesNotMatch(OF_A_DEFAULT);
        assertThat("  a = 1  # a number of hours").doesNotMatch(OF_A_DEFAULT);
    }

    private static List<String> lines(String resource) throws IOException {
        try (InputStream in = Recipes.class.getResourceAsStream(resource)) {
            return new String(Objects.requireNonNull(in, resource).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
    }
}
