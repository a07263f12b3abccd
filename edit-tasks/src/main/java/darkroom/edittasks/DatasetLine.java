package darkroom.edittasks;

import java.nio.file.Path;

/** One line of a dataset's metadata file: a row that can be used, or what is wrong with it. */
public sealed interface DatasetLine {
    Path file();

    /** Number of the line, from 1. */
    long line();

    /**
     * A row whose pictures were decoded.
     *
     * @param offset where the line begins in the file, in bytes
     * @param bytes length of the line without its end
     * @param id the row's own id, else one made from its content; no other row of the file has it
     * @param files the pictures
     */
    record Usable(Path file, long line, long offset, int bytes, String id, DatasetRow row, DatasetFiles files)
            implements DatasetLine {
        public DatasetImages images() {
            return files.images();
        }
    }

    /**
     * A row that an earlier line holds as well, field by field: it adds its weight to that row's.
     *
     * @param first number of the earlier line, from 1; it is usable
     */
    record Repeated(Path file, long line, long first, DatasetRow row) implements DatasetLine {}

    /** @param reason what is wrong, on one line */
    record Malformed(Path file, long line, DatasetFault fault, String reason) implements DatasetLine {
        /** {@code FILE:LINE: reason; what to do}. */
        public String message() {
            return file + ":" + line + ": " + reason + "; " + fault.remedy();
        }
    }
}
