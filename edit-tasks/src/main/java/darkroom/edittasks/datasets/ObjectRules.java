package darkroom.edittasks.datasets;

import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.datasets.AnnotatedImage.Thing;
import darkroom.edittasks.pictures.RgbImage;
import java.util.Locale;
import java.util.Optional;

/**
 * The rules that decide whether an annotated object may be edited.
 *
 * @param turned whether the picture was stored in another orientation than it is displayed in
 */
record ObjectRules(CurationSettings settings, RgbImage picture, boolean turned) {
    /** The first rule that an object breaks, and how. */
    record Broken(CurationRule rule, String reason) {}

    /** Returns the first rule that the object breaks; empty if it may be edited. */
    Optional<Broken> brokenBy(Thing thing) {
        Box box = thing.box();
        int width = picture.width();
        int height = picture.height();
        if (!box.within(width, height)) {
            return broken(
                    CurationRule.BOX_OUTSIDE,
                    "box %s in a picture of %dx%d pixels%s"
                            .formatted(
                                    box,
                                    width,
                                    height,
                                    turned
                                            ? " after its EXIF orientation was applied; boxes are in pixels of the"
                                                    + " displayed picture, or use --pictures as-stored"
                                            : ""));
        }
        double share = box.area() / ((double) width * height);
        double shareMin = thing.background() ? settings.backgroundMin() : settings.boxMin();
        if (share < shareMin) {
            return broken(CurationRule.BOX_TOO_SMALL, percent(share) + " of the picture < " + percent(shareMin));
        }
        if (!thing.background() && share > settings.boxMax()) {
            return broken(
                    CurationRule.BOX_TOO_LARGE, percent(share) + " of the picture > " + percent(settings.boxMax()));
        }
        Double confidence = thing.confidence();
        double confidenceMin = thing.background() ? settings.backgroundConfidenceMin() : settings.confidenceMin();
        if (confidence != null && confidence < confidenceMin) {
            return broken(CurationRule.LOW_CONFIDENCE, "score=" + confidence + " < " + confidenceMin);
        }
        double cutOff = box.cutOff(width, height);
        if (!thing.background() && cutOff > settings.cutOffMax()) {
            return broken(
                    CurationRule.BOX_CUT_OFF,
                    percent(cutOff) + " of the box outside the middle square > " + percent(settings.cutOffMax()));
        }
        return Optional.empty();
    }

    private static Optional<Broken> broken(CurationRule rule, String reason) {
        return Optional.of(new Broken(rule, reason));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
