package darkroom.edittasks.datasets;

import java.util.Locale;

/** Faults of a line of a dataset, with their remedies. */
public enum DatasetFault {
    LINE_TOO_LONG("shorten the line; pictures are files of their own"),
    BYTE_ORDER_MARK("save the file as UTF-8 without byte order mark"),
    NOT_UTF8("save the file as UTF-8"),
    NO_JSON("write one whole JSON object on the line, as strict JSON"),
    NO_OBJECT("write one JSON object on the line: {\"prompt\": ..., \"image\": ...}"),
    MISSING_FIELD("add the field"),
    WRONG_TYPE("correct the field, or remove it if it is optional"),
    PATH_OUTSIDE("put the picture below the dataset's directory, without links that lead out of it, and give its path"
            + " relative to that directory"),
    MISSING_IMAGE("add the file or correct its path"),
    CUT_IMAGE("copy or download the file again"),
    UNREADABLE_IMAGE("copy the file again, or save the picture again with another program"),
    UNSUPPORTED_IMAGE("convert it to PNG, JPEG or WebP"),
    OVERSIZED_IMAGE("make the picture smaller"),
    TARGET_SIZE("give the target the width and height of the image, or remove the field"),
    DUPLICATE_ID("give the row its own id; to have a row drawn more often, give it a weight, for instance \"weight\":"
            + " 3, or repeat its line without any change"),
    TOO_MANY_ROWS("split the file into several datasets");

    private final String remedy;

    DatasetFault(String remedy) {
        this.remedy = remedy;
    }

    /** Returns the name used in reports, for instance {@code missing-image}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the remedy, as an imperative. */
    public String remedy() {
        return remedy;
    }
}
