package darkroom.rewardactors.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with a placeholder for the instruction of a row, and optional ones for its requirement, its task, the description
 * of its pictures, and the criteria of its task. The shipped ones are the templates of the paper's Appendix C; their first
 * sentence tells the pictures apart, and their last lines ask for the bare label as the public code does.
 */
public final class PromptTemplate {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(.*?)}}");
    private static final List<String> PLACEHOLDERS =
            List.of("instruction", "requirement", "task", "pictures", "criteria");
    private static final String NEEDED = "instruction";

    private static final String TWO_PICTURES =
            "Here are two images: the original (the first image) and the edited version (the second image).";
    private static final String THREE_PICTURES =
            "Here are three images: the original (the first image), the edited version"
                    + " (the second image), and a reference image that the instruction refers to (the third image).";

    /** Asks for the score of 0 to 5, without reasoning. */
    public static final PromptTemplate SCORE = resource("score.txt");

    /** Asks for Yes or No, without reasoning. */
    public static final PromptTemplate YES_NO = resource("yes-no.txt");

    /** Asks for a short reasoning, then the score of 0 to 5. */
    public static final PromptTemplate SCORE_COT = resource("score-cot.txt");

    /** Literal text and placeholder names in turn, beginning and ending with text. */
    private final List<String> pieces;

    private PromptTemplate(List<String> pieces) {
        this.pieces = List.copyOf(pieces);
    }

    /**
     * Parses a template.
     *
     * @param name used in errors, for instance the file
     * @throws IllegalArgumentException unless {@code {{instruction}}} occurs once, {@code {{requirement}}}, {@code {{task}}},
     *     {@code {{pictures}}} and {@code {{criteria}}} at most once, and nothing else in double braces
     */
    public static PromptTemplate parse(String name, String text) {
        List<String> pieces = new ArrayList<>();
        Set<String> seen = new TreeSet<>();
        Matcher matcher = PLACEHOLDER.matcher(text);
        int end = 0;
        while (matcher.find()) {
            String placeholder = matcher.group(1);
            if (!PLACEHOLDERS.contains(placeholder)) {
                throw new IllegalArgumentException(name + ": {{" + placeholder
                        + "}} is no placeholder; allowed are {{instruction}}, {{requirement}}, {{task}}, {{pictures}}"
                        + " and {{criteria}}");
            }
            if (!seen.add(placeholder)) {
                throw new IllegalArgumentException(name + ": {{" + placeholder + "}} stands twice; once is allowed");
            }
            pieces.add(text.substring(end, matcher.start()));
            pieces.add(placeholder);
            end = matcher.end();
        }
        if (!seen.contains(NEEDED)) {
            throw new IllegalArgumentException(
                    name + ": {{instruction}} is missing; a scorer must receive the instruction");
        }
        pieces.add(text.substring(end));
        return new PromptTemplate(pieces);
    }

    /**
     * Returns the text for one row. Control tokens in the row's text are made harmless; placeholders in it are plain text.
     *
     * @param reference whether a third picture, a reference, is shown
     * @param criteria of an edit of this task; empty leaves the paragraph out
     */
    String fill(String instruction, String requirement, String task, boolean reference, String criteria) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            String piece = pieces.get(i);
            if (i % 2 == 0) {
                text.append(piece);
                continue;
            }
            switch (piece) {
                case "instruction" -> text.append(ControlTokens.neutralised(instruction));
                case "requirement" -> text.append(ControlTokens.neutralised(requirement));
                case "task" -> text.append(ControlTokens.neutralised(task));
                case "pictures" -> text.append(reference ? THREE_PICTURES : TWO_PICTURES);
                case "criteria" -> {
                    if (criteria.isEmpty()) {
                        text.setLength(text.toString().stripTrailing().length());
                    } else {
                        text.append(criteria);
                    }
                }
                default -> throw new IllegalStateException(piece);
            }
        }
        return text.toString();
    }

    /** Returns the original template, for a digest. */
    String text() {
        return String.join("|", pieces) + TWO_PICTURES + THREE_PICTURES;
    }

    private static PromptTemplate resource(String file) {
        try (InputStream in = PromptTemplate.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("template " + file + " is missing from the jar");
            }
            return parse(file, new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
