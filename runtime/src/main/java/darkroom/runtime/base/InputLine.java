package darkroom.runtime.base;

import java.util.Map;

/**
 * One line of {@code inputs.jsonl}: an input of a run, as it was when the run began.
 *
 * @param input the digest of the settings that it belongs to: train, validation, held-out, base or judge
 * @param file its location: the metadata file of a row, the file of weights, or the name of what ships with the build
 * @param line number of the row's line in {@code file}, from 1; 0 for an input without lines
 * @param row identity of the row; empty for an input without rows
 * @param sha256 SHA-256, in hexadecimal, of what the run uses: for a row, its texts, the pixels of its pictures, and
 *     its weight if that is not 1
 * @param text SHA-256 of the row's texts, and of its weight if that is not 1; empty for an input without rows
 * @param files SHA-256 of each picture's file, by its path relative to the dataset's directory
 */
public record InputLine(
        String input, String file, long line, String row, String sha256, String text, Map<String, String> files) {

    /** Returns the line of an input without rows. */
    public static InputLine whole(String input, String file, String sha256) {
        return new InputLine(input, file, 0, "", sha256, "", Map.of());
    }
}
