package darkroom.rewardactors.protocol;

import java.util.regex.Pattern;

/**
 * Keeps the text of a dataset row from being read as markup by a scorer's tokenizer, which reads {@code <|im_end|>} or {@code
 * <|image_pad|>} in user text as control tokens: an instruction could otherwise end its turn and praise itself.
 *
 * <p>Deterministic: in everything that looks like a control token, {@code <|name|>}, {@code <name>}, {@code </name>} or
 * {@code [NAME]}, a space is inserted after the opening and before the closing bracket; any {@code <|} and {@code |>} left is
 * split likewise. Line breaks and other control characters become one space, so that a row cannot add a line to the template
 * either. All other text is unchanged.
 */
public final class ControlTokens {
    private static final Pattern ANGLED = Pattern.compile("<([|/]?[\\p{L}\\p{N}_][^<>\\s]{0,63})>");
    private static final Pattern SQUARED = Pattern.compile("\\[(/?[A-Z][A-Z_]{0,31})\\]");
    private static final Pattern BREAKS = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]+");

    private ControlTokens() {}

    public static String neutralised(String text) {
        String oneLine = BREAKS.matcher(text).replaceAll(" ").strip();
        String angled = ANGLED.matcher(oneLine).replaceAll("< $1 >");
        String squared = SQUARED.matcher(angled).replaceAll("[ $1 ]");
        return squared.replace("<|", "< |")
                .replace("|>", "| >")
                .replace("<\uFF5C", "< \uFF5C")
                .replace("\uFF5C>", "\uFF5C >");
    }
}
