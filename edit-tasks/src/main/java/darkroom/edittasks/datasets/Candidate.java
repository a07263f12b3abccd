package darkroom.edittasks.datasets;

import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.datasets.AnnotatedImage.Edit;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row that curation proposes, before the caps on task types.
 *
 * @param line number of its annotation
 * @param id follows from picture, task type, prompt and red box; equal rows have equal ids
 * @param image path of the picture, relative to the directory of annotations
 * @param others fields of the annotation that curation does not read, from name to JSON text
 */
record Candidate(long line, String id, String image, Proposal proposal, Map<String, String> others) {
    private static final int ID_DIGITS = 16;

    /**
     * The content of a proposed row.
     *
     * @param redBox object with a red box around it; null for none
     * @param target path of the target picture; null for none
     * @param reference path of the reference picture; null for none
     */
    record Proposal(
            String taskType,
            String prompt,
            String requirement,
            @Nullable Box redBox,
            @Nullable String target,
            @Nullable String reference) {
        static Proposal of(Edit edit) {
            return new Proposal(
                    edit.taskType(), edit.prompt(), edit.requirement(), null, edit.target(), edit.reference());
        }

        static Proposal of(String taskType, String prompt, String requirement) {
            return new Proposal(taskType, prompt, requirement, null, null, null);
        }
    }

    static Candidate of(long line, AnnotatedImage annotated, Proposal proposal) {
        return new Candidate(line, id(annotated.image(), proposal), annotated.image(), proposal, annotated.others());
    }

    private static String id(String image, Proposal proposal) {
        Box box = proposal.redBox();
        String text = image + "\n" + proposal.taskType() + "\n" + proposal.prompt() + "\n" + (box == null ? "" : box);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, ID_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
