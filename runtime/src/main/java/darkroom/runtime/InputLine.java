package darkroom.runtime;

import java.util.Map;

/**
 * One line of {@code inputs.jsonl}: something that a run reads, as it was when the run began.
 *
 * @param input which digest of the settings it belongs to: train, validation, held-out, base or judge
 * @param file where it is: the metadata file of a row, the file of weights, or the name of what ships with the build
 * @param line number of the row's line in {@code file}, from 1; 0 where there are no lines
 * @param row identity of the row; empty where there are no rows
 * @param sha256 of what the run takes from it, in hexadecimal: for a row, its texts, the pixels of its pictures, and its weight if that is not 1
 * @param text SHA-256 of the row's texts, and of its weight if that is not 1; empty where there are no rows
 * @param files SHA-256 of each picture's file, by its path relative to the dataset's directory
 */
record InputLine(
        String input, String file, long line, String row, String sha256, String text, Map<String, String> files) {

    /** Something without rows. */
    static InputLine whole(String input, String file, String sha256) {
        return new InputLine(input, file, 0, "", sha256, "", Map.of());
    }
}
