package darkroom.edittasks;

import java.nio.file.Path;
import java.util.Map;

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
     * @param sha256 digests of the pictures' files; see {@link DatasetFiles}
     */
    record Usable(
            Path file,
            long line,
            long offset,
            int bytes,
            String id,
            DatasetRow row,
            DatasetImages images,
            Map<String, String> sha256)
            implements DatasetLine {}

    /** @param reason what is wrong, on one line */
    record Malformed(Path file, long line, DatasetFault fault, String reason) implements DatasetLine {
        /** {@code FILE:LINE: reason; what to do}. */
        public String message() {
            return file + ":" + line + ": " + reason + "; " + fault.remedy();
        }
    }
}
