package darkroom.runtime.studies;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.FileFault;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
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
 * Two edits of one picture and the preferred one: a line of the file that {@code align} reads. Paths are relative to
 * that file.
 *
 * @param id unique within the file
 * @param task name of the task type; pairs without one are counted only in the total
 * @param source the picture before the edit
 * @param reference second input picture of a Reference task
 * @param a one edit
 * @param b the other
 * @param preferred the annotator's answer
 * @param by the annotator: {@code people}, unless the file names another
 */
public record AnnotatedPair(
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
    /** Default annotator of a file. */
    static final String PEOPLE = "people";

    /** Annotator of pairs that no one annotated: the distance to an exact target decides. */
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

    public AnnotatedPair {
        task = Optional.ofNullable(task).orElse("");
        requirement = Optional.ofNullable(requirement).orElse("");
        by = Optional.ofNullable(by).orElse(PEOPLE);
    }

    /** The pictures of a pair, encoded. */
    public record Pictures(PngImage source, @Nullable PngImage reference, PngImage a, PngImage b) {}

    /**
     * Reads the pictures.
     *
     * @throws IOException naming the picture that is missing or invalid
     */
    public Pictures pictures(Path file, PictureView view) throws IOException {
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
            throw new IOException("%s: %s".formatted(path, FileFault.reason(e, path)), e);
        }
    }

    /**
     * Reads all pairs of a file, in its order; ignores blank lines.
     *
     * @throws CommandFailedException naming the first invalid lines, or if the file has no pair: annotations are
     *     counted completely or not at all
     */
    public static List<AnnotatedPair> read(Path file) throws IOException {
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
