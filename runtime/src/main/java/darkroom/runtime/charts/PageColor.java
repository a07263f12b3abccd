package darkroom.runtime.charts;

import java.util.List;
import java.util.Locale;

/**
 * Colours of the page, which differ in light and dark. Lets-Plot draws in the light ones; the SVG refers to the
 * page's variables, for example {@code var(--c0)}.
 */
public enum PageColor {
    BLUE("c0", 0x0072b2),
    ORANGE("c1", 0xd98a00),
    GREEN("c2", 0x008f68),
    RED("c3", 0xc8500a),
    PURPLE("c4", 0xa8578c),
    CARD("card", 0xffffff),
    INK("ink", 0x1d1c1a),
    SOFT("soft", 0x6a665e),
    GRID("grid", 0xece8e1);

    private static final List<PageColor> ALL = List.of(values());

    private final String variable;
    private final int rgb;

    PageColor(String variable, int rgb) {
        this.variable = variable;
        this.rgb = rgb;
    }

    /** Returns the light colour, {@code #rrggbb}. */
    public String hex() {
        return String.format(Locale.ROOT, "#%06x", rgb);
    }

    /** Returns the light colour as Lets-Plot writes it: {@code rgb(r,g,b)}. */
    private String triple() {
        return String.format(Locale.ROOT, "rgb(%d,%d,%d)", rgb >> 16, rgb >> 8 & 255, rgb & 255);
    }

    /** Returns the text with the variables of the page in place of the light colours. */
    static String asVariables(String text) {
        String result = text;
        for (PageColor color : ALL) {
            String variable = "var(--" + color.variable + ")";
            result = result.replace(color.triple(), variable).replace(color.hex(), variable);
        }
        return result;
    }
}
