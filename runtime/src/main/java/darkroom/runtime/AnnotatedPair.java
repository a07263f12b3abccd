package darkroom.runtime;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.rewardactors.PngImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Two edits of one picture, and which of them someone preferred: a line of the file that {@code align} reads. Paths are relative to
 * that file.
 *
 * @param id unique within the file
 * @param task name of the task type; pairs without one are counted in all together only
 * @param source the picture before the edit
 * @param reference second input picture of a Reference task
 * @param a one edit
 * @param b the other
 * @param preferred what whoever looked said
 * @param by who that was: {@code people}, unless the file says otherwise
 */
record AnnotatedPair(
        @JsonProperty(required = true) String id,
        String task,
        @JsonProperty(required = true) String source,
        @Nullable String reference,
        @JsonProperty(required = true) String a,
        @JsonProperty(required = true) String b,
        @JsonProperty(required = true) String instruction,
        String requirement,
        @JsonProperty(required = true) Preferred preferred,
        String by) {
    /** Who preferred where a file does not say. */
    static final String PEOPLE = "people";

    /** Who preferred where no one did, and the distance to an exact target stands in. */
    static final String GROUND_TRUTH = "ground truth";

    private static final int COMPLAINTS_MAX = 5;
    private static final ObjectReader LINE =
            JsonLines.JSON.readerFor(AnnotatedPair.class).with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** The better edit, or that they are equivalent. */
    enum Preferred {
        A,
        B,
        TIE
    }

    AnnotatedPair {
        task = Optional.ofNullable(task).orElse("");
        requirement = Optional.ofNullable(requirement).orElse("");
        by = Optional.ofNullable(by).orElse(PEOPLE);
    }

    /** The pictures of a pair, encoded. */
    record Pictures(PngImage source, @Nullable PngImage reference, PngImage a, PngImage b) {}

    /** @throws IOException naming the picture that is missing or none */
    Pictures pictures(Path file, PictureView view) throws IOException {
        return new Pictures(
                picture(file, source, view),
                reference == null ? null : picture(file, reference, view),
                picture(file, a, view),
                picture(file, b, view));
    }

    private static PngImage picture(Path file, String name, PictureView view) throws IOException {
        Path path = file.toAbsolutePath().resolveSibling(name);
        try {
            return PngImage.read(path, view);
        } catch (NoSuchFileException e) {
            throw new IOException(path + " is no file", e);
        } catch (IOException e) {
            throw new IOException("%s: %s".formatted(path, e.getMessage()), e);
        }
    }

    /**
     * All pairs of a file, in its order; blank lines are none.
     *
     * @throws CommandFailedException naming the first lines that are no pairs, or that there is no pair: what was annotated is
     *     counted whole or not at all
     */
    static List<AnnotatedPair> read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new CommandFailedException(file + " is no file", ExitCode.USAGE);
        }
        List<AnnotatedPair> pairs = new ArrayList<>();
        List<String> complaints = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        int line = 0;
        for (String text : Files.readAllLines(file)) {
            line++;
            if (text.isBlank()) {
                continue;
            }
            try {
                AnnotatedPair pair = LINE.readValue(text);
                if (ids.add(pair.id())) {
                    pairs.add(pair);
                } else {
                    complaints.add("%s:%d: id \"%s\" stands twice".formatted(file, line, pair.id()));
                }
            } catch (JsonProcessingException e) {
                complaints.add("%s:%d: %s".formatted(file, line, firstLine(e)));
            }
        }
        if (!complaints.isEmpty()) {
            int more = complaints.size() - COMPLAINTS_MAX;
            throw new CommandFailedException(
                    String.join("\n", complaints.subList(0, Math.min(COMPLAINTS_MAX, complaints.size())))
                            + (more > 0 ? "\nand %d more".formatted(more) : "")
                            + "\n"
                            + "A line is {\"id\", \"source\", \"a\", \"b\", \"instruction\", \"preferred\": \"a\","
                            + " \"b\" or \"tie\"} and, where there are any, \"task\", \"requirement\", \"reference\","
                            + " \"by\".",
                    ExitCode.USAGE);
        }
        if (pairs.isEmpty()) {
            throw new CommandFailedException(file + " has no pair", ExitCode.USAGE);
        }
        return List.copyOf(pairs);
    }

    private static String firstLine(JsonProcessingException e) {
        return ErrorReason.of(e);
    }
}
