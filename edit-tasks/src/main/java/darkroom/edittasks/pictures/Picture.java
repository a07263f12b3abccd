package darkroom.edittasks.pictures;

import java.util.Set;

/**
 * A picture read by {@link PictureReader}.
 *
 * @param image 8-bit sRGB
 * @param format of the file, by its content
 * @param conversions applied to the samples
 */
public record Picture(RgbImage image, PictureFormat format, Set<PictureConversion> conversions) {
    public Picture {
        conversions = Set.copyOf(conversions);
    }
}
