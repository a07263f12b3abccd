package darkroom.edittasks.datasets;

import darkroom.config.PictureView;
import darkroom.edittasks.tasks.Split;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Creates a dataset from annotated pictures by the rules of the paper's section 3.1. Rows come from three sources: the edits
 * of an annotation (an object without an edit is to be removed), its texts (one word with one or two characters altered), and
 * red boxes (a share of the adjust, remove and replace rows again, with a red rectangle round the object and the words "the
 * object in the red box" for its name). Anything that does not become a row is counted and recorded with its {@link
 * CurationRule}. {@link RowProposals} has the rules, {@link CandidateRows} writes. The result is a function of annotations, pictures and settings.
 */
public final class Curation {
    /** File of annotated pictures. */
    public static final String ANNOTATIONS = "annotations.jsonl";

    /** File of everything that did not become a row. */
    public static final String REJECTED = "rejected.jsonl";

    /** Maximum number of annotated pictures. */
    public static final int IMAGES_MAX = 1_000_000;

    private Curation() {}

    /**
     * Result of a curation.
     *
     * @param images annotations read
     * @param imagesKept pictures with at least one row
     * @param rejections everything that did not become a row: objects, texts, edits and whole pictures
     * @param imagesRejected pictures without a row, by the first rule that rejected them
     * @param rows rows written, by split and task type
     */
    public record Report(
            long images,
            long imagesKept,
            Map<CurationRule, Long> rejections,
            Map<CurationRule, Long> imagesRejected,
            Map<Split, Map<String, Long>> rows) {}

    /**
     * Curates the pictures of {@code from/annotations.jsonl} into a dataset at {@code to}, with {@code rejected.jsonl} beside
     * its metadata files.
     *
     * @param replace whether existing metadata files may be replaced
     * @param each receives the number of every line after it is read
     * @throws FileAlreadyExistsException if a split exists and may not be replaced
     * @throws IllegalArgumentException if both directories are the same
     */
    public static Report run(Path from, Path to, CurationSettings settings, boolean replace, LongConsumer each)
            throws IOException {
        return run(from, PictureView.DISPLAYED, to, settings, replace, each);
    }

    /**
     * Curates with a given view of the pictures.
     *
     * @param view how pictures are read: boxes are in pixels of the result
     */
    public static Report run(
            Path from, PictureView view, Path to, CurationSettings settings, boolean replace, LongConsumer each)
            throws IOException {
        DatasetDirectory source = new DatasetDirectory(from, view);
        Files.createDirectories(to);
        if (Files.isSameFile(from, to)) {
            throw new IllegalArgumentException(to + " is where the annotations are; write into another directory");
        }
        for (Split split : CandidateRows.SPLITS) {
            Path file = to.resolve(split.metadataFile());
            if (!replace && Files.exists(file)) {
                throw new FileAlreadyExistsException(file.toString());
            }
        }
        try (CurationLog log = new CurationLog(to.resolve(REJECTED))) {
            RowProposals proposals = new RowProposals(source, settings, log);
            read(source, proposals, log, each);
            return log.report(new CandidateRows(source, to, settings, log).write(proposals.candidates()));
        }
    }

    private static void read(DatasetDirectory from, RowProposals proposals, CurationLog log, LongConsumer each)
            throws IOException {
        try (BoundedLines lines = new BoundedLines(from.path().resolve(ANNOTATIONS), DatasetReader.LINE_BYTES_MAX)) {
            while (lines.advance()) {
                AnnotatedImage annotated = null;
                try {
                    String text = lines.text();
                    if (text.isBlank()) {
                        continue;
                    }
                    if (log.annotations() == IMAGES_MAX) {
                        throw new DatasetFaultException(
                                DatasetFault.TOO_MANY_ROWS, "the file has more than " + IMAGES_MAX + " annotations");
                    }
                    annotated = AnnotatedImage.parse(text);
                } catch (DatasetFaultException e) {
                    log.reject(
                            new CurationLog.Subject(lines.line(), null, "line"),
                            CurationRule.MALFORMED_ANNOTATION,
                            e.reason());
                    if (e.fault() == DatasetFault.TOO_MANY_ROWS) {
                        return;
                    }
                }
                if (annotated != null) {
                    log.read(lines.line(), annotated.image());
                    proposals.propose(lines.line(), annotated);
                }
                each.accept(lines.line());
            }
        }
    }
}
