package darkroom.rewardactors;

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
 * What a scorer is asked, with a place for the instruction of a row, and places for its requirement and its task. Those that ship
 * are the templates of the paper's Appendix C, whose last lines ask for the bare label as the public code does.
 */
public final class PromptTemplate {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(.*?)}}");
    private static final List<String> PLACEHOLDERS = List.of("instruction", "requirement", "task");
    private static final String NEEDED = "instruction";

    /** The score of 0 to 5, at once. */
    public static final PromptTemplate SCORE = resource("score.txt");

    /** Yes or No, at once. */
    public static final PromptTemplate YES_NO = resource("yes-no.txt");

    /** A short reasoning, then the score of 0 to 5. */
    public static final PromptTemplate SCORE_COT = resource("score-cot.txt");

    /** Literal text and placeholder names in turn, beginning and ending with text. */
    private final List<String> pieces;

    private PromptTemplate(List<String> pieces) {
        this.pieces = List.copyOf(pieces);
    }

    /**
     * Reads a template.
     *
     * @param name named in errors, for instance the file
     * @throws IllegalArgumentException unless {@code {{instruction}}} stands in it once, {@code {{requirement}}} and {@code {{task}}} at
     *     most once, and nothing else in double braces
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
                        + "}} is no placeholder; allowed are {{instruction}}, {{requirement}} and {{task}}");
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
                    name + ": {{instruction}} is missing; a scorer must be told what was asked for");
        }
        pieces.add(text.substring(end));
        return new PromptTemplate(pieces);
    }

    /** The text for one row. Control tokens in the row's words lose their power; placeholders in them are only words. */
    public String fill(ScoreRequest request) {
        return fill(request.instruction(), request.requirement(), request.task());
    }

    /** The same, of the words alone. */
    public String fill(String instruction, String requirement, String task) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            String piece = pieces.get(i);
            text.append(
                    i % 2 == 0
                            ? piece
                            : ControlTokens.neutralised(
                                    switch (piece) {
                                        case "instruction" -> instruction;
                                        case "requirement" -> requirement;
                                        case "task" -> task;
                                        default -> throw new IllegalStateException(piece);
                                    }));
        }
        return text.toString();
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
