package darkroom.edittasks.datasets;

import java.util.Locale;

/** A reason not to create a row. Sources: the paper, section 3.1; ImgEdit's data processor, step 5; else Darkroom. */
public enum CurationRule {
    MALFORMED_ANNOTATION("Darkroom", "the line is not an annotation"),
    UNUSABLE_IMAGE("Darkroom", "a picture is missing, damaged, too large or outside the directory"),
    BOX_OUTSIDE("Darkroom", "the box is empty or leaves the picture"),
    BOX_TOO_SMALL("paper; numbers of ImgEdit", "the box is too small a part of the picture"),
    BOX_TOO_LARGE("paper, without a number", "the box is too large a part of the picture"),
    BOX_CUT_OFF("Darkroom", "too much of the box lies outside the middle square, which is all that training sees"),
    LOW_CONFIDENCE("ImgEdit", "the detector was not sure of the object"),
    IMPLAUSIBLE("paper", "the instruction was marked as implausible"),
    AMBIGUOUS_NAME(
            "Darkroom", "several objects of the picture have this name, and the instruction is made from the name"),
    TEXT_UNALTERABLE("Darkroom", "no word of two letters or digits occurs once in the picture's texts"),
    NO_RED_BOX_WORDING("Darkroom", "the instruction does not name the object, so that a red box cannot stand for it"),
    DUPLICATE("Darkroom", "another row edits the same picture in the same way"),
    TASK_CAP("paper: 600 for reference and extract", "there are enough rows of this task type"),
    NOTHING_TO_EDIT("Darkroom", "the annotation has no object, text or edit");

    private final String source;
    private final String reason;

    CurationRule(String source, String reason) {
        this.source = source;
        this.reason = reason;
    }

    /** Returns the name used in reports, for instance {@code box-too-small}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the source of the rule. */
    public String source() {
        return source;
    }

    /** Returns the general reason. */
    public String reason() {
        return reason;
    }
}
