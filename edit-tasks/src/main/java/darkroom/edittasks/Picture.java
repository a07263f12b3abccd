package darkroom.edittasks;

import java.util.Set;

/**
 * A picture that {@link PictureReader} read.
 *
 * @param image 8-bit sRGB
 * @param format what the file is, by its content
 * @param conversions what was done to get there
 */
public record Picture(RgbImage image, PictureFormat format, Set<PictureConversion> conversions) {
    public Picture {
        conversions = Set.copyOf(conversions);
    }
}
