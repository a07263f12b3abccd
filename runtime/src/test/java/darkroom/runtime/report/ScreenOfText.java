package darkroom.runtime.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The visible content of a terminal after some output: an endless screen of a fixed width that knows the xterm control
 * codes used by JLine.
 */
final class ScreenOfText {
    private static final char ESCAPE = '\u001b';

    private final int columns;
    private final List<StringBuilder> rows = new ArrayList<>();
    private int row;
    private int column;
    private boolean cursorVisible = true;

    private ScreenOfText(int columns) {
        this.columns = columns;
    }

    static ScreenOfText after(String output, int columns) {
        ScreenOfText screen = new ScreenOfText(columns);
        int at = 0;
        while (at < output.length()) {
            at = output.charAt(at) == ESCAPE ? screen.control(output, at + 1) : screen.show(output, at);
        }
        return screen;
    }

    /** Returns the lines without trailing blanks, and without empty lines at the end. */
    List<String> lines() {
        List<String> lines = new ArrayList<>(
                rows.stream().map(line -> line.toString().stripTrailing()).toList());
        while (!lines.isEmpty() && lines.getLast().isEmpty()) {
            lines.removeLast();
        }
        return Collections.unmodifiableList(lines);
    }

    boolean cursorVisible() {
        return cursorVisible;
    }

    private int show(String output, int at) {
        char sign = output.charAt(at);
        switch (sign) {
            case '\r' -> column = 0;
            case '\n' -> row++;
            case '\b' -> column = Math.max(0, column - 1);
            default -> {
                if (column == columns) {
                    column = 0;
                    row++;
                }
                padded().setCharAt(column, sign);
                column++;
            }
        }
        return at + 1;
    }

    private StringBuilder padded() {
        while (rows.size() <= row) {
            rows.add(new StringBuilder());
        }
        StringBuilder line = rows.get(row);
        while (line.length() <= column) {
            line.append(' ');
        }
        return line;
    }

    private int control(String output, int at) {
        if (output.charAt(at) != '[') {
            throw new AssertionError("unknown control code ESC " + output.charAt(at));
        }
        int end = at + 1;
        while (!Character.isLetter(output.charAt(end)) && output.charAt(end) != '@') {
            end++;
        }
        String parameter = output.substring(at + 1, end);
        int count = parameter.matches("\\d+") ? Integer.parseInt(parameter) : 1;
        switch (output.charAt(end)) {
            case 'A' -> row = Math.max(0, row - count);
            case 'B' -> row += count;
            case 'C' -> column += count;
            case 'D' -> column = Math.max(0, column - count);
            case 'G' -> column = count - 1;
            case 'K' -> padded().setLength(column);
            case 'J' -> {
                padded().setLength(column);
                rows.subList(row + 1, rows.size()).clear();
            }
            case 'P' -> {
                StringBuilder line = padded();
                line.delete(column, Math.min(column + count, line.length()));
            }
            case '@' -> padded().insert(column, " ".repeat(count));
            case 'm' -> {}
            case 'h', 'l' -> {
                if (parameter.equals("?25")) {
                    cursorVisible = output.charAt(end) == 'h';
                }
            }
            default -> throw new AssertionError("unknown control code ESC " + output.substring(at, end + 1));
        }
        return end + 1;
    }
}
