package darkroom.runtime.base;

import java.io.Console;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jline.utils.AttributedString;
import picocli.CommandLine;

/**
 * A table for people, in lines of text. A column is as wide as its widest cell, counted in columns of a terminal: a Chinese
 * character takes two. A table that is wider than the terminal is narrowed at its widest columns of text; figures are never
 * cut.
 */
public final class TextTable {
    private static final String BETWEEN = "  ";
    private static final String CUT = "...";
    private static final int TEXT_COLUMNS_MIN = 12;

    private final String indent;
    private final List<Column> columns = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    private record Column(String header, boolean right) {}

    public TextTable() {
        this("");
    }

    /** @param indent at the beginning of each line */
    public TextTable(String indent) {
        this.indent = indent;
    }

    /** Adds columns of text, aligned to the left. A table whose headers are all empty has no line of headers. */
    public TextTable text(String... headers) {
        Arrays.stream(headers).forEach(header -> columns.add(new Column(header, false)));
        return this;
    }

    /** Adds columns of figures, aligned to the right. */
    public TextTable figures(String... headers) {
        Arrays.stream(headers).forEach(header -> columns.add(new Column(header, true)));
        return this;
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException if it does not have a cell for each column
     */
    public TextTable row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(
                    "a row of %d cells in a table of %d columns".formatted(cells.length, columns.size()));
        }
        rows.add(Arrays.stream(cells).map(cell -> oneLine(cell.toString())).toList());
        return this;
    }

    /** Prints the table within the terminal of this process, if it has one. */
    public void print(CommandLine command) {
        print(command.getOut(), terminalColumns(command));
    }

    public void print(PrintWriter out, OptionalInt columnsMax) {
        lines(columnsMax).forEach(out::println);
    }

    /** Returns the width of the terminal of this process; empty if input or output is no terminal. */
    @SuppressWarnings(
            "SystemConsoleNull") // it is null where neither input nor output is a terminal, in a test for instance
    public static OptionalInt terminalColumns(CommandLine command) {
        Console console = System.console();
        return console != null && console.isTerminal()
                ? OptionalInt.of(command.getUsageHelpWidth())
                : OptionalInt.empty();
    }

    /**
     * Returns the lines, without blanks at their ends.
     *
     * @param columnsMax width of the terminal; empty if any width will do
     */
    public List<String> lines(OptionalInt columnsMax) {
        List<List<String>> all = new ArrayList<>();
        List<String> headers = columns.stream().map(Column::header).toList();
        if (!headers.stream().allMatch(String::isEmpty)) {
            all.add(headers);
        }
        all.addAll(rows);
        int[] widths = IntStream.range(0, columns.size())
                .map(column -> all.stream()
                        .mapToInt(row -> width(row.get(column)))
                        .max()
                        .orElse(0))
                .toArray();
        columnsMax.ifPresent(max -> narrow(widths, max));
        return all.stream().map(row -> line(row, widths)).toList();
    }

    private void narrow(int[] widths, int max) {
        int excess = indent.length() + Arrays.stream(widths).sum() + BETWEEN.length() * (widths.length - 1) - max;
        while (excess > 0) {
            int widest = -1;
            for (int i = 0; i < widths.length; i++) {
                if (!columns.get(i).right() && (widest < 0 || widths[i] > widths[widest])) {
                    widest = i;
                }
            }
            if (widest < 0 || widths[widest] <= TEXT_COLUMNS_MIN) {
                return; // the terminal breaks the lines, and nothing is lost
            }
            widths[widest]--;
            excess--;
        }
    }

    private String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder(indent);
        for (int i = 0; i < widths.length; i++) {
            String cell = cut(row.get(i), widths[i]);
            String blanks = " ".repeat(Math.max(0, widths[i] - width(cell)));
            line.append(i == 0 ? "" : BETWEEN).append(columns.get(i).right() ? blanks + cell : cell + blanks);
        }
        return line.toString().stripTrailing();
    }

    private static String cut(String cell, int width) {
        return width(cell) <= width
                ? cell
                : new AttributedString(cell).columnSubSequence(0, width - CUT.length()) + CUT;
    }

    private static int width(String text) {
        return new AttributedString(text).columnLength();
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\p{Cntrl}", " ");
    }
}
