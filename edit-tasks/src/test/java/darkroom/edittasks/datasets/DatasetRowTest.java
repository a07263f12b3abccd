package darkroom.edittasks.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class DatasetRowTest {
    @Property(tries = 300)
    void what_is_written_is_read_back_and_other_fields_stay_as_they_stand(
            @ForAll("texts") String prompt,
            @ForAll("texts") String requirement,
            @ForAll("others") Map<String, String> others)
            throws DatasetFaultException {
        DatasetRow row = DatasetRow.of("p" + prompt, "images/a.png", requirement);
        for (Map.Entry<String, String> other : others.entrySet()) {
            row = row.withJson("x" + other.getKey(), other.getValue());
        }
        DatasetRow read = DatasetRow.parse(row.line());
        assertThat(read).isEqualTo(row);
        assertThat(read.line()).isEqualTo(row.line()).doesNotContain("\n");
        assertThat(read.prompt()).isEqualTo("p" + prompt);
        assertThat(read.requirement()).isEqualTo(requirement);
        assertThat(read.identity()).isEqualTo(row.identity());
        others.forEach((name, json) -> assertThat(read.fields()).containsEntry("x" + name, json));
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withChars("abc ,:\"\\/{}[]\n\t\u0000\u2028é漢😀".toCharArray())
                .ofMaxLength(30)
                .filter(text -> StandardCharsets.UTF_8.newEncoder().canEncode(text));
    }

    @Provide
    Arbitrary<Map<String, String>> others() {
        Arbitrary<String> json = Arbitraries.of(
                "1",
                "1.10",
                "1e400",
                "-0",
                "123456789012345678901234567890",
                "true",
                "false",
                "null",
                "\"\"",
                "\"a\\u00e9\\/b\"",
                "\"tab\\t \\\"quoted\\\"\"",
                "[]",
                "{}",
                "[ 1,2 , 3.0 ]",
                "{\"b\":1,  \"a\": [null, {\"c\":\"}\"}]}",
                "\"漢字\"");
        return Arbitraries.maps(texts(), json).ofMaxSize(6);
    }

    @Test
    void fields_keep_their_order_and_their_writing() throws DatasetFaultException {
        String line =
                "{\"z\": 1.50, \"image\": \"a.png\", \"box\": [1,  2.0,3e1], \"prompt\": \"x\", \"a\": {\"k\" :null}}";
        DatasetRow row = DatasetRow.parse(line);
        assertThat(row.line()).isEqualTo(line);
        assertThat(row.fields().keySet()).containsExactly("z", "image", "box", "prompt", "a");
        assertThat(row.with("image", "b.png").line()).isEqualTo(line.replace("a.png", "b.png"));
        assertThat(row.with("new", "n").line()).endsWith(", \"new\": \"n\"}");
    }

    @Test
    void a_requirement_may_be_absent_and_null_is_absent() throws DatasetFaultException {
        DatasetRow row = DatasetRow.parse(
                "{\"prompt\":\"p\",\"image\":\"i\",\"requirement\":null,\"target\":null,\"id\":null,\"reference\":null}");
        assertThat(row.requirement()).isEmpty();
        assertThat(row.target()).isNull();
        assertThat(row.reference()).isNull();
        assertThat(row.id()).isNull();
        assertThat(row.taskType()).isNull();
    }

    @Test
    void rows_are_told_apart_by_their_id_or_else_by_all_they_say() throws DatasetFaultException {
        DatasetRow row = DatasetRow.of("same words", "a.png", "");
        assertThat(row.identity()).isNotEqualTo(row.with("image", "b.png").identity());
        assertThat(row.identity()).isNotEqualTo(row.withJson("box", "1").identity());
        assertThat(row.with("id", "mine").identity()).isEqualTo("mine");
        assertThat(DatasetRow.parse("{\"id\":7,\"prompt\":\"p\",\"image\":\"i\"}")
                        .identity())
                .isEqualTo("7");
        assertThat(DatasetRow.parse("{\"prompt\":\"p\",  \"image\":\"i\"}").identity())
                .isEqualTo(
                        DatasetRow.parse("{\"prompt\":\"p\",\"image\":\"i\"}").identity());
    }

    @Test
    void a_row_is_not_made_of_what_is_no_json() {
        DatasetRow row = DatasetRow.of("p", "i", "");
        for (String json : List.of("", "nan", "1 2", "1, \"b\": 2", "\"a\nb\"", "{")) {
            assertThatThrownBy(() -> row.withJson("x", json)).as(json).satisfies(thrown -> assertThat(thrown)
                    .isInstanceOf(IllegalArgumentException.class));
        }
        assertThatThrownBy(() -> DatasetRow.of(" ", "i", "")).hasMessageContaining("prompt");
    }
}
