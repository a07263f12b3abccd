package darkroom.rewardactors.judge;

import darkroom.rewardactors.protocol.ControlTokens;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Prompt of a judge of a suite, with a placeholder for the instruction if it has one.
 *
 * @param name the resource, for reports: {@code imgedit/add.txt}
 * @param text of the resource, unchanged
 */
public record JudgePrompt(String name, String text) {
    private static final String INSTRUCTION = "{{instruction}}";

    /**
     * Validates the placeholders.
     *
     * @throws IllegalArgumentException if a placeholder occurs twice, or one other than that of the instruction occurs
     */
    public JudgePrompt {
        int first = text.indexOf("{{");
        if (first >= 0 && (!text.startsWith(INSTRUCTION, first) || text.indexOf("{{", first + 1) >= 0)) {
            throw new IllegalArgumentException(name + ": only " + INSTRUCTION + " is allowed in it, and once");
        }
    }

    /** Reads a prompt of the jar. */
    public static JudgePrompt resource(String name) {
        try (InputStream in = JudgePrompt.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("prompt " + name + " is missing from the jar");
            }
            return new JudgePrompt(name, new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Returns the text for one edit. Control tokens in the instruction are made harmless; placeholders in it are plain text.
     */
    public String fill(String instruction) {
        int place = text.indexOf(INSTRUCTION);
        return place < 0
                ? text
                : text.substring(0, place)
                        + ControlTokens.neutralised(instruction)
                        + text.substring(place + INSTRUCTION.length());
    }
}
