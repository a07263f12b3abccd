package darkroom.edittasks.datasets;

import darkroom.edittasks.pictures.RgbImage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The pictures of a row.
 *
 * @param target the exact result, if the row has one; same size as the source
 * @param reference second input picture, if the row has one
 */
public record DatasetImages(
        RgbImage source,
        @Nullable RgbImage target,
        @Nullable RgbImage reference) {
    /**
     * Returns the pictures in the form that a policy uses: the central square of each, {@code side} pixels wide. The rest is
     * cut off; see {@link RgbImage#square}.
     */
    public DatasetImages square(int side) {
        UnaryOperator<RgbImage> fit =
                image -> image.width() == side && image.height() == side ? image : image.square(side);
        return new DatasetImages(
                fit.apply(source),
                target == null ? null : fit.apply(target),
                reference == null ? null : fit.apply(reference));
    }
}
