package darkroom.edittasks.datasets;

import java.util.Map;

/**
 * Bounds of {@link Curation}. Shares are from 0 to 1.
 *
 * @param boxMin smallest box, as a share of the picture's area; ImgEdit: .1
 * @param boxMax largest box of an object that is not a background
 * @param backgroundMin smallest box of a background; ImgEdit: .5
 * @param confidenceMin lowest detection score of an object; ImgEdit: .8
 * @param backgroundConfidenceMin lowest detection score of a background; ImgEdit: .7
 * @param cutOffMax largest share of a box that may lie outside the central square
 * @param redBoxShare share of the adjust, remove and replace rows that also become red-box rows
 * @param caps maximum rows of a task type, by its name; types that are absent have no cap. Paper: 600 for reference and
 *     extract.
 * @param validationShare share of the pictures in validation
 * @param testShare share of the pictures in test
 * @param seed key of all random draws
 */
public record CurationSettings(
        double boxMin,
        double boxMax,
        double backgroundMin,
        double confidenceMin,
        double backgroundConfidenceMin,
        double cutOffMax,
        double redBoxShare,
        Map<String, Integer> caps,
        double validationShare,
        double testShare,
        long seed) {
    /** The bounds of the paper and of ImgEdit; else Darkroom's own. */
    public static final CurationSettings USUAL =
            new CurationSettings(.1, .8, .5, .8, .7, .1, .2, Map.of("reference", 600, "extract", 600), .05, .05, 0);

    public CurationSettings {
        caps = Map.copyOf(caps);
        share("box-min", boxMin);
        share("box-max", boxMax);
        share("background-min", backgroundMin);
        share("confidence-min", confidenceMin);
        share("background-confidence-min", backgroundConfidenceMin);
        share("cut-off-max", cutOffMax);
        share("red-box-share", redBoxShare);
        share("validation-share", validationShare);
        share("test-share", testShare);
        if (boxMin > boxMax) {
            throw new IllegalArgumentException("box-min=" + boxMin + " > box-max=" + boxMax + "; no box could pass");
        }
        if (validationShare + testShare >= 1) {
            throw new IllegalArgumentException("validation-share=" + validationShare + " and test-share=" + testShare
                    + " leave nothing to train on; their sum must be below 1");
        }
        caps.forEach((type, cap) -> {
            if (cap < 0) {
                throw new IllegalArgumentException("cap " + type + "=" + cap + " must be 0 or more");
            }
        });
    }

    private static void share(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + "=" + value + " must be from 0 to 1");
        }
    }
}
