package darkroom.edittasks.datasets;

import java.nio.file.Path;

/** One line of a dataset's metadata file: a usable row, or its fault. */
public sealed interface DatasetLine {
    Path file();

    /** Returns the number of the line, from 1. */
    long line();

    /**
     * A row whose pictures were decoded.
     *
     * @param offset position of the line in the file, in bytes
     * @param bytes length of the line without its end
     * @param id the row's own id, else one derived from its content; unique in the file
     * @param files the pictures
     */
    record Usable(Path file, long line, long offset, int bytes, String id, DatasetRow row, DatasetFiles files)
            implements DatasetLine {
        public DatasetImages images() {
            return files.images();
        }
    }

    /**
     * A row that repeats an earlier line, field by field: it adds its weight to that row's.
     *
     * @param first number of the earlier line, from 1; it is usable
     */
    record Repeated(Path file, long line, long first, DatasetRow row) implements DatasetLine {}

    /** @param reason the fault, on one line */
    record Malformed(Path file, long line, DatasetFault fault, String reason) implements DatasetLine {
        /** Returns {@code FILE:LINE: reason; what to do}. */
        public String message() {
            return file + ":" + line + ": " + reason + "; " + fault.remedy();
        }
    }
}
