package darkroom.rewardactors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * What a judge of a suite is asked, with a place for the instruction where there is one.
 *
 * @param name the resource, for reports: {@code imgedit/add.txt}
 * @param text as it stands there
 */
record JudgePrompt(String name, String text) {
    private static final String INSTRUCTION = "{{instruction}}";

    /** @throws IllegalArgumentException if a placeholder stands in it twice, or another one than that of the instruction */
    JudgePrompt {
        int first = text.indexOf("{{");
        if (first >= 0 && (!text.startsWith(INSTRUCTION, first) || text.indexOf("{{", first + 1) >= 0)) {
            throw new IllegalArgumentException(name + ": only " + INSTRUCTION + " may stand in it, and once");
        }
    }

    /** A prompt of the jar. */
    static JudgePrompt resource(String name) {
        try (InputStream in = JudgePrompt.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("prompt " + name + " is missing from the jar");
            }
            return new JudgePrompt(name, new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The text for one edit. Control tokens in the instruction lose their power; placeholders in it are only words. */
    String fill(String instruction) {
        int place = text.indexOf(INSTRUCTION);
        return place < 0
                ? text
                : text.substring(0, place)
                        + ControlTokens.neutralised(instruction)
                        + text.substring(place + INSTRUCTION.length());
    }
}
