package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TextTableTest {
    private static final OptionalInt ANY = OptionalInt.empty();

    @Test
    void a_column_is_as_wide_as_its_widest_cell_and_figures_are_aligned_to_the_right() {
        assertThat(new TextTable()
                        .text("task")
                        .figures("edits", "ms")
                        .row("recolour", 7, "12.5")
                        .row("a", 123_456, "-")
                        .lines(ANY))
                .containsExactly(
                        "task       edits    ms", //
                        "recolour       7  12.5",
                        "a         123456     -");
    }

    @Test
    void a_character_that_takes_two_columns_of_a_terminal_is_counted_as_two() {
        assertThat(new TextTable().text("", "").row("颜色", "x").row("abcde", "y").lines(ANY))
                .containsExactly("颜色   x", "abcde  y");
    }

    @Test
    void a_table_without_headers_has_no_line_of_them_and_no_line_ends_in_blanks() {
        assertThat(new TextTable("  ")
                        .text("", "")
                        .row("a", "long")
                        .row("b", "")
                        .lines(ANY))
                .containsExactly("  a  long", "  b");
    }

    @Test
    void a_table_wider_than_the_terminal_is_cut_in_its_widest_text_and_in_no_figure() {
        TextTable table = new TextTable()
                .text("node", "roles")
                .figures("done")
                .row("a-very-long-name-of-a-node-in-a-cluster", "rollout", 12_345_678);
        assertThat(table.lines(OptionalInt.of(40)))
                .allMatch(line -> line.length() <= 40)
                .element(1)
                .isEqualTo("a-very-long-name-o...  rollout  12345678");
        assertThat(table.lines(OptionalInt.of(5))).element(1).asString().endsWith("  rollout  12345678");
        assertThat(new TextTable().text("").row("颜色颜色颜色颜色颜色").lines(OptionalInt.of(14)))
                .containsExactly("颜色颜色颜...");
    }

    @Test
    void a_cell_of_several_lines_stays_in_its_row() {
        assertThat(new TextTable().text("").row("a\nb\u001b[1m").lines(ANY)).containsExactly("a b [1m");
    }

    @Test
    void a_row_with_too_few_cells_is_refused() {
        assertThatThrownBy(() -> new TextTable().text("a", "b").row("x"))
                .hasMessage("a row of 1 cells in a table of 2 columns");
    }
}
