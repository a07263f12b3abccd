package darkroom.runtime.studies;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.run.DataSplits;
import darkroom.runtime.run.EditingPolicy;
import darkroom.runtime.run.Scorers;
import darkroom.runtime.studies.AnnotatedPair.Preferred;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Pairs of edits that a policy generates for held-out embedded tasks, as a file of annotated pairs: the ground truth of
 * both replaces human preferences, and the file records that.
 */
public final class EmbeddedPairs {
    /** Ground truths with at most this difference are equivalent. */
    static final double EQUIVALENT = 0.02;

    private static final String FILE = "pairs.jsonl";

    private EmbeddedPairs() {}

    /**
     * Writes the pairs: slots 0 and 1 of each row, 2 and 3, and so on.
     *
     * @param directory created; receives the file and its pictures
     * @return the file
     */
    public static Path write(EditingPolicy editing, Scorers judge, Path directory, PrintWriter warnings)
            throws Exception {
        Rows rows = DataSplits.rows(
                editing.settings(),
                Split.HELD_OUT,
                editing.settings().evaluation().tasks(),
                warnings);
        Files.createDirectories(directory);
        List<AnnotatedPair> pairs = HeldOutRollout.of(editing, rows, "pairs", judge, (evaluated, evaluator) -> {
            try {
                return pairs(evaluated, evaluator, rows, directory);
            } catch (IOException e) {
                throw new UncheckedIOException("%s cannot be written: %s".formatted(directory, FileFault.reason(e)), e);
            }
        });
        Path file = directory.resolve(FILE);
        StringBuilder lines = new StringBuilder();
        for (AnnotatedPair pair : pairs) {
            lines.append(JsonLines.JSON.writeValueAsString(pair)).append('\n');
        }
        RunDirectory.write(file, lines.toString());
        return file;
    }

    private static List<AnnotatedPair> pairs(
            RunEvent.Evaluated evaluated, Evaluator evaluator, Rows rows, Path directory) throws IOException {
        List<AnnotatedPair> pairs = new ArrayList<>();
        for (GroupOutcome ending : evaluated.endings()) {
            if (!(ending instanceof GroupOutcome.Finished ended)) {
                continue;
            }
            Row row = rows.row(ended.rollout().group());
            String stem = "%04d".formatted(ended.rollout().group());
            String source = write(directory, stem + "-source", row.source());
            String reference = row.reference() == null ? null : write(directory, stem + "-reference", row.reference());
            for (int slot = 0; slot + 1 < ended.generated().images().size(); slot += 2) {
                RgbImage a =
                        evaluator.image(ended.generated().images().get(slot).pixels());
                RgbImage b =
                        evaluator.image(ended.generated().images().get(slot + 1).pixels());
                pairs.add(pair(
                        row,
                        "%s-%d".formatted(stem, slot / 2),
                        source,
                        reference,
                        write(directory, "%s-%d".formatted(stem, slot), a),
                        write(directory, "%s-%d".formatted(stem, slot + 1), b),
                        preferred(row, a, b)));
            }
        }
        return pairs;
    }

    private static AnnotatedPair pair(
            Row row, String id, String source, @Nullable String reference, String a, String b, Preferred preferred) {
        return new AnnotatedPair(
                id,
                row.taskType(),
                source,
                reference,
                a,
                b,
                row.instruction(),
                row.requirement(),
                preferred,
                AnnotatedPair.GROUND_TRUTH);
    }

    private static Preferred preferred(Row row, RgbImage a, RgbImage b) {
        RgbImage target = Objects.requireNonNull(row.target());
        double truthA = GroundTruth.measure(row.source(), a, target).score();
        double truthB = GroundTruth.measure(row.source(), b, target).score();
        if (Math.abs(truthA - truthB) <= EQUIVALENT) {
            return Preferred.TIE;
        }
        return truthA > truthB ? Preferred.A : Preferred.B;
    }

    private static String write(Path directory, String stem, RgbImage image) throws IOException {
        String name = stem + ".png";
        Files.write(directory.resolve(name), image.png());
        return name;
    }
}
