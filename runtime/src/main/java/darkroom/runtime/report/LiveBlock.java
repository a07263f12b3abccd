package darkroom.runtime.report;

import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.WCWidth;

/**
 * The lines that the live view keeps at the bottom of a terminal: two to five, each narrower than the terminal. Parts
 * that do not fit are left out from the right; a first part that does not fit is cut and ends in an ellipsis.
 *
 * @param signs the characters that the terminal can show
 */
record LiveBlock(Signs signs) {
    private static final String BETWEEN = "  ";
    private static final int BAR_MIN = 10;
    private static final int BAR_MAX = 40;
    private static final AttributedStyle STAGE = AttributedStyle.BOLD;
    private static final AttributedStyle BAR = AttributedStyle.DEFAULT.foreground(AttributedStyle.GREEN);
    private static final AttributedStyle NAME = AttributedStyle.DEFAULT.foreground(AttributedStyle.CYAN);
    private static final AttributedStyle PLAIN = AttributedStyle.DEFAULT;

    /**
     * Characters of bars, from full to empty; levels of curves, lowest first; arrows up, level and down; and the sign
     * of a cut.
     */
    enum Signs {
        BLOCKS("█░", "▁▂▃▄▅▆▇█", "↑→↓", "…"),
        ASCII("#.", "_.-=+*%#", "^>v", "~");

        private final String bar;
        private final String levels;
        private final String arrows;
        private final String ellipsis;

        Signs(String bar, String levels, String arrows, String ellipsis) {
            this.bar = bar;
            this.levels = levels;
            this.arrows = arrows;
            this.ellipsis = ellipsis;
        }

        private char arrow(RunProgress.Trend trend) {
            return arrows.charAt(
                    switch (trend) {
                        case RISING -> 0;
                        case LEVEL -> 1;
                        case FALLING -> 2;
                    });
        }

        /** Returns blocks and arrows if the encoding has them, otherwise plain characters. */
        static Signs in(Charset charset) {
            String all = BLOCKS.bar + BLOCKS.levels + BLOCKS.arrows + BLOCKS.ellipsis;
            return charset.canEncode() && charset.newEncoder().canEncode(all) ? BLOCKS : ASCII;
        }
    }

    private record Part(String text, AttributedStyle style) {
        static Part plain(String text) {
            return new Part(text, PLAIN);
        }
    }

    /**
     * Returns the lines of the block.
     *
     * @param columns width of the terminal; the last column stays empty
     */
    List<AttributedString> lines(RunProgress progress, int columns) {
        int width = Math.max(1, columns - 1);
        List<AttributedString> lines = new ArrayList<>();

        List<Part> what = new ArrayList<>();
        what.add(new Part(progress.stage(), STAGE));
        progress.activity().forEach(activity -> what.add(Part.plain(activity)));
        lines.add(line(what, width));

        lines.add(line(speed(progress, width), width));

        if (!progress.means().isEmpty()) {
            lines.add(line(reward(progress, width), width));
        }
        if (progress.hasCounts()) {
            List<Part> counts = new ArrayList<>();
            counts.add(new Part("groups", NAME));
            progress.counts().forEach(count -> counts.add(Part.plain(count)));
            lines.add(line(counts, width));
        }
        List<String> measurement = progress.measurement();
        if (!measurement.isEmpty()) {
            List<Part> parts = new ArrayList<>();
            parts.add(new Part(measurement.getFirst(), NAME));
            measurement.stream().skip(1).map(Part::plain).forEach(parts::add);
            lines.add(line(parts, width));
        }
        return lines;
    }

    private List<Part> speed(RunProgress progress, int width) {
        List<Part> figures = new ArrayList<>();
        progress.remaining().ifPresent(left -> figures.add(Part.plain(text(left) + " left")));
        progress.imagesPerSecond().ifPresent(speed -> figures.add(Part.plain(speed(speed))));
        figures.add(Part.plain(text(progress.elapsed()) + " so far"));
        OptionalDouble fraction = progress.fraction();
        if (fraction.isEmpty()) {
            return figures;
        }
        String percent = "%3d %%".formatted((int) (100 * fraction.getAsDouble()));
        int others = percent.length()
                + figures.stream().mapToInt(part -> part.text().length()).sum()
                + BETWEEN.length() * (figures.size() + 1);
        List<Part> parts = new ArrayList<>();
        int cells = Math.min(Math.clamp(width - others, BAR_MIN, BAR_MAX), width);
        parts.add(new Part(bar(fraction.getAsDouble(), cells), BAR));
        parts.add(Part.plain(percent));
        parts.addAll(figures);
        return parts;
    }

    private String bar(double fraction, int cells) {
        int full = (int) (fraction * cells);
        return signs.bar.substring(0, 1).repeat(full)
                + signs.bar.substring(1, 2).repeat(cells - full);
    }

    private List<Part> reward(RunProgress progress, int width) {
        List<Double> means = progress.means();
        Optional<String> arrow = progress.trend().map(trend -> " " + signs.arrow(trend));
        String now = RunProgress.figure(means.getLast()) + arrow.orElse("");
        int room = width - "reward".length() - now.length() - 2 * BETWEEN.length();
        List<Part> parts = new ArrayList<>(List.of(new Part("reward", NAME), Part.plain(now)));
        if (room > 0) {
            parts.add(new Part(curve(means.subList(Math.max(0, means.size() - room), means.size())), BAR));
        }
        return parts;
    }

    /** Returns a curve from the lowest to the highest value; a level line if all are equal. */
    private String curve(List<Double> values) {
        double low = values.stream().mapToDouble(Double::doubleValue).min().orElse(0);
        double high = values.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        StringBuilder curve = new StringBuilder();
        for (double value : values) {
            int level = high == low ? 0 : (int) Math.round((value - low) / (high - low) * (signs.levels.length() - 1));
            curve.append(signs.levels.charAt(level));
        }
        return curve.toString();
    }

    private AttributedString line(List<Part> parts, int width) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        for (Part part : parts) {
            String text = printable(part.text());
            AttributedString next = new AttributedString(text, part.style());
            if (line.length() == 0) {
                line.append(cut(next, width));
            } else if (line.columnLength() + BETWEEN.length() + next.columnLength() <= width) {
                line.append(BETWEEN).append(next);
            } else {
                break;
            }
        }
        return line.toAttributedString();
    }

    private AttributedString cut(AttributedString text, int width) {
        if (text.columnLength() <= width) {
            return text;
        }
        return new AttributedStringBuilder()
                .append(text.columnSubSequence(0, width - 1))
                .append(signs.ellipsis, text.styleAt(0))
                .toAttributedString();
    }

    /** Returns the text without characters that would move the cursor. */
    static String printable(String text) {
        StringBuilder clean = new StringBuilder();
        text.codePoints().forEach(sign -> {
            if (sign == '\t' || WCWidth.wcwidth(sign) < 0) {
                clean.append(' ');
            } else {
                clean.appendCodePoint(sign);
            }
        });
        return clean.toString();
    }

    /** Formats a rate as {@code 61 images/s}, with a decimal below 10. */
    static String speed(double imagesPerSecond) {
        return String.format(Locale.ROOT, imagesPerSecond < 10 ? "%.1f images/s" : "%.0f images/s", imagesPerSecond);
    }

    /**
     * Formats a duration to the second below an hour, to the minute above: {@code 42s}, {@code 5m40s}, {@code 2h05m}.
     */
    static String text(Duration duration) {
        long seconds = duration.plusMillis(500).toSeconds();
        if (seconds < 60) {
            return seconds + "s";
        }
        return seconds < 3600
                ? "%dm%02ds".formatted(seconds / 60, seconds % 60)
                : "%dh%02dm".formatted(seconds / 3600, seconds / 60 % 60);
    }
}
