package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImgEditSuiteTest {
    private final Path folder;

    ImgEditSuiteTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private ImgEditSuite read(String json) throws IOException {
        return ImgEditSuite.read(
                Files.writeString(folder.resolve("basic_edit.json"), json),
                folder.resolve("src"),
                folder.resolve("out"));
    }

    private static String item(String key, String type) {
        return "\"%s\": {\"id\": \"animal/%s.jpg\", \"prompt\": \"do %s\", \"edit_type\": \"%s\"}"
                .formatted(key, key, key, type);
    }

    private static JudgedItem judged(SuiteItem item, double... grades) {
        List<Double> scores = new ArrayList<>();
        for (double grade : grades) {
            scores.add(grade);
        }
        JudgeReply said = grades.length == 0
                ? new JudgeReply.Nothing("no-grades: words", 3)
                : new JudgeReply.Scores(scores, "", 1);
        return new JudgedItem(item, List.of(new JudgedItem.Answer("grades", "d", said, false)));
    }

    @Test
    void items_are_read_in_their_order_with_the_places_of_their_pictures() throws IOException {
        ImgEditSuite suite = read("{" + item("82", "add") + "," + item("7", "style") + "," + item("9", "alter") + "}");
        assertThat(suite.items()).extracting(SuiteItem::id).containsExactly("82", "7", "9");
        assertThat(suite.items()).extracting(SuiteItem::group).containsExactly("add", "style", "adjust");
        SuiteItem first = suite.items().getFirst();
        assertThat(first.instruction()).isEqualTo("do 82");
        assertThat(first.sources()).containsExactly(folder.resolve("src/animal/82.jpg"));
        assertThat(first.edited())
                .extracting(path -> path.getFileName().toString())
                .containsExactly("82.png", "82.jpg", "82.jpeg", "82.webp");
        assertThat(suite.limited(2).items()).hasSize(2);
    }

    /**
     * By hand: 82 is (5+4+4)/3 = 4.33, 83 is (3+3+5)/3 = 3.67, so add is 4.00; 7 is (1+1+2)/3 = 1.33, 8 is 2.67, 10 is 3, so style
     * is 7.00/3 = 2.33; overall (4.00 + 2.33)/2, whatever the number of items.
     */
    @Test
    void items_are_rounded_then_types_and_the_overall_mean_is_of_types() throws IOException {
        ImgEditSuite suite = read("{" + item("82", "add") + "," + item("83", "add") + "," + item("84", "add") + ","
                + item("7", "style") + "," + item("8", "style") + "," + item("10", "style") + "}");
        List<SuiteItem> items = suite.items();
        SuiteTable table = suite.tables(List.of(
                        judged(items.get(0), 5, 4, 4),
                        judged(items.get(1), 3, 3, 5),
                        judged(items.get(2)),
                        judged(items.get(3), 1, 1, 2),
                        judged(items.get(4), 3, 3, 2),
                        judged(items.get(5), 3, 3, 3)))
                .getFirst();
        assertThat(table.groups())
                .containsExactly(
                        new SuiteTable.Row("add", 3, 2, 1, List.of(OptionalDouble.of(4.0))),
                        new SuiteTable.Row("style", 3, 3, 0, List.of(OptionalDouble.of(2.33))));
        assertThat(table.overall())
                .isEqualTo(new SuiteTable.Row("overall", 6, 5, 1, List.of(OptionalDouble.of(3.165))));
        assertThat(table.groups().getFirst().invalidShare()).isEqualTo(1.0 / 3);
        assertThat(table.missing())
                .containsExactly("adjust", "extract", "replace", "remove", "background", "compose", "action");
    }

    @Test
    void grades_against_the_rubric_are_counted_and_left_as_they_are() throws IOException {
        ImgEditSuite suite = read("{" + item("1", "add") + "," + item("2", "add") + "," + item("3", "add") + "}");
        List<SuiteItem> items = suite.items();
        List<JudgedItem> all =
                List.of(judged(items.get(0), 3, 4, 1), judged(items.get(1), 3, 1, 5), judged(items.get(2), 3, 3, 3));
        assertThat(suite.remark(all))
                .hasValueSatisfying(remark -> assertThat(remark).startsWith("2 items"));
        assertThat(suite.tables(all).getFirst().overall().means().getFirst()).hasValue(2.89);
        assertThat(suite.remark(all.subList(2, 3))).isEmpty();
    }

    @Test
    void without_a_valid_item_there_is_no_mean() throws IOException {
        ImgEditSuite suite = read("{" + item("1", "add") + "}");
        SuiteTable table =
                suite.tables(List.of(judged(suite.items().getFirst()))).getFirst();
        assertThat(table.overall()).isEqualTo(new SuiteTable.Row("overall", 1, 0, 1, List.of(OptionalDouble.empty())));
        assertThat(table.missing()).contains("add").hasSize(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | is no JSON object",
                "{} | has no items",
                "{\"1\": | is no JSON",
                "{\"1\": {\"prompt\": \"p\", \"edit_type\": \"add\"}} | item \"1\" needs id",
                "{\"1\": {\"id\": \"a\", \"prompt\": \" \", \"edit_type\": \"add\"}} | item \"1\" needs prompt",
                "{\"1\": {\"id\": \"a\", \"prompt\": \"p\", \"edit_type\": \"dance\"}} | edit_type=dance; allowed are"
                        + " add, adjust",
                "{\"../1\": {\"id\": \"a\", \"prompt\": \"p\", \"edit_type\": \"add\"}} | cannot be the name of a file",
                "{\"1\": {\"id\": \"a\", \"id\": \"b\", \"prompt\": \"p\", \"edit_type\": \"add\"}} | Duplicate"
            })
    void a_file_that_is_not_as_published_is_refused_with_the_place(String json, String message) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(SuiteItemsException.class)
                .hasMessageContainingAll("basic_edit.json", message);
    }
}
