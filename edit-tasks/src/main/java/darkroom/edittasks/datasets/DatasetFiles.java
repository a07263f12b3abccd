package darkroom.edittasks.datasets;

import darkroom.edittasks.pictures.PictureConversion;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The pictures of a row, and their files.
 *
 * @param sha256 digest of each file in hexadecimal, by its path relative to the dataset's directory, in the order image,
 *     target, reference
 * @param conversions applied when each file was read, by the same paths
 */
public record DatasetFiles(
        DatasetImages images, Map<String, String> sha256, Map<String, Set<PictureConversion>> conversions) {
    public DatasetFiles {
        conversions = Collections.unmodifiableMap(new LinkedHashMap<>(conversions));
        sha256 = Collections.unmodifiableMap(new LinkedHashMap<>(sha256));
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
