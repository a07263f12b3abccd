package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GEditSuiteTest {
    private final Path folder;

    GEditSuiteTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private GEditSuite read(String languages, String... lines) throws IOException {
        return GEditSuite.read(
                Files.write(folder.resolve("gedit.jsonl"), List.of(lines)),
                folder.resolve("src"),
                folder.resolve("out"),
                languages.isEmpty() ? Set.of() : Set.of(languages.split(" ")));
    }

    private static String line(String key, String group, String language, boolean intersection, String further) {
        return "{\"key\": \"%s\", \"task_type\": \"%s\", \"instruction\": \"do it\", \"instruction_language\": \"%s\", \"Intersection_exist\": %b%s}"
                .formatted(key, group, language, intersection, further);
    }

    private static JudgedItem judged(SuiteItem item, JudgeReply semantics, JudgeReply quality) {
        return new JudgedItem(
                item,
                List.of(
                        new JudgedItem.Answer("SC", "s", semantics, false),
                        new JudgedItem.Answer("PQ", "q", quality, false)));
    }

    private static JudgeReply said(double a, double b) {
        return new JudgeReply.Scores(List.of(a, b), "", 1);
    }

    @Test
    void an_edit_is_looked_for_in_every_published_layout() throws IOException {
        GEditSuite suite = read("", line("k", "subject-add", "en", true, ", \"source\": \"a/k.png\""), "");
        assertThat(suite.items().getFirst().edited().stream()
                        .map(path -> folder.resolve("out").relativize(path).toString())
                        .filter(path -> path.endsWith(".png")))
                .containsExactly("fullset/subject-add/en/k.png", "subject-add/en/k.png", "subject-add/k.png");
        assertThat(suite.items().getFirst().sources()).containsExactly(folder.resolve("src/a/k.png"));
    }

    @Test
    void a_key_of_two_languages_has_no_place_without_its_language() throws IOException {
        String[] lines = {line("k", "ps_human", "en", true, ""), line("k", "ps_human", "cn", true, "")};
        assertThat(read("", lines).items())
                .allSatisfy(item -> assertThat(item.edited()).noneMatch(path -> path.endsWith("ps_human/k.png")));
        assertThat(read("en", lines).items()).hasSize(1).allSatisfy(item -> assertThat(item.edited())
                .anyMatch(path -> path.endsWith("ps_human/k.png")));
    }

    @Test
    void an_original_without_a_path_is_looked_for_under_its_published_name() throws IOException {
        GEditSuite suite = read(
                "",
                line("k", "ps_human", "en", true, ", \"input_image\": {\"bytes\": null}"),
                line("l", "ps_human", "en", true, ", \"input_image\": {\"path\": \"l.jpg\"}"));
        assertThat(suite.items().getFirst().sources())
                .contains(folder.resolve("src/k_SRCIMG.png"), folder.resolve("out/fullset/ps_human/en/k_SRCIMG.png"));
        assertThat(suite.items().getLast().sources()).containsExactly(folder.resolve("src/l.jpg"));
    }

    /**
     * By hand. ps_human: a SC 9, PQ 4, O 6; b SC 0, PQ 9, O 0; so 4.5, 6.5, 3. text_change: c SC 4, PQ 4, O 4; d has no PQ and is in no
     * mean. Overall of groups: 4.25, 5.25, 3.5, and O is not sqrt(4.25 * 5.25).
     */
    @Test
    void the_smaller_score_counts_and_each_mean_is_taken_by_itself() throws IOException {
        GEditSuite suite = read(
                "",
                line("a", "ps_human", "en", true, ""),
                line("b", "ps_human", "en", false, ""),
                line("c", "text_change", "en", true, ""),
                line("d", "text_change", "en", false, ""),
                line("e", "text_change", "cn", false, ""));
        List<SuiteItem> items = suite.items();
        JudgeReply none = new JudgeReply.Nothing("no-object: words", 3);
        List<SuiteTable> tables = suite.tables(List.of(
                judged(items.get(0), said(9, 10), said(7, 4)),
                judged(items.get(1), said(10, 0), said(9, 9)),
                judged(items.get(2), said(4, 9), said(4, 5)),
                judged(items.get(3), said(10, 10), none),
                judged(items.get(4), said(1, 1), said(1, 1))));
        assertThat(tables)
                .extracting(SuiteTable::title)
                .containsExactly(
                        "GEdit-Bench-EN, full set", "GEdit-Bench-EN, intersection", "GEdit-Bench-CN, full set");
        assertThat(tables.get(0).groups())
                .containsExactly(row("ps_human", 2, 2, 0, 4.5, 6.5, 3), row("text_change", 2, 1, 1, 4, 4, 4));
        assertThat(tables.get(0).overall()).isEqualTo(row("overall", 4, 3, 1, 4.25, 5.25, 3.5));
        assertThat(tables.get(1).overall()).isEqualTo(row("overall", 2, 2, 0, 6.5, 4, 5));
        assertThat(tables.get(2).overall()).isEqualTo(row("overall", 1, 1, 0, 1, 1, 1));
        assertThat(tables.get(0).missing()).hasSize(9).doesNotContain("ps_human", "text_change");
    }

    private static SuiteTable.Row row(String name, int items, int valid, int invalid, double... means) {
        return new SuiteTable.Row(
                name,
                items,
                valid,
                invalid,
                List.of(OptionalDouble.of(means[0]), OptionalDouble.of(means[1]), OptionalDouble.of(means[2])));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | line 1 needs task_type",
                "{\"task_type\": \"dance\"} | line 1 has task_type=dance; allowed are background_change",
                "{\"task_type\": \"ps_human\"} | line 1 needs key",
                "{\"task_type\": \"ps_human\", \"key\": \"a/b\"} | cannot be the name of a file",
                "{\"task_type\": \"ps_human\", \"key\": \"k\", \"instruction_language\": \"en\"} | line 1 needs"
                        + " Intersection_exist",
                "[1] | line 1 is no JSON object",
                "x | line 1 is no JSON"
            })
    void a_line_that_is_not_as_published_is_refused_with_its_number(String line, String message) {
        assertThatThrownBy(() -> read("", line))
                .isInstanceOf(SuiteItemsException.class)
                .hasMessageContainingAll("gedit.jsonl", message);
    }

    @Test
    void an_item_that_stands_there_twice_and_a_language_that_does_not_are_refused() {
        String line = line("k", "ps_human", "en", true, "");
        assertThatThrownBy(() -> read("", line, line))
                .hasMessageContaining("line 2 is ps_human/en/k for the second time");
        assertThatThrownBy(() -> read("cn", line)).hasMessageContainingAll("[cn]", "[en]");
        assertThatThrownBy(() -> read("")).hasMessageContaining("has no items");
    }
}
