package darkroom.edittasks;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The pictures of a row.
 *
 * @param target the exact result, if the row has one; as large as the source
 * @param reference second input picture, if the row has one
 */
public record DatasetImages(
        RgbImage source,
        @Nullable RgbImage target,
        @Nullable RgbImage reference) {
    /**
     * The pictures as a policy takes them: the square in the middle of each, {@code side} pixels wide. What lies beyond the
     * square is cut off; see {@link RgbImage#square}.
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
