package darkroom.gpuworkers.vae;

import darkroom.edittasks.pictures.PillowResize;
import darkroom.edittasks.pictures.RgbImage;
import java.util.List;

/**
 * Pictures on their way into and out of FLUX.1-Kontext, as FluxKontextPipeline and VaeImageProcessor of diffusers prepare them.
 */
public final class KontextPictures {
    /** Sides of a picture are multiples of this: 8 pixels for a value of the latent, 2 values for a token. */
    public static final int MULTIPLE = 16;

    /** Sizes that the model was trained on, width and height: PREFERRED_KONTEXT_RESOLUTIONS of the pipeline. */
    private static final List<Size> PREFERRED = List.of(
            new Size(672, 1568),
            new Size(688, 1504),
            new Size(720, 1456),
            new Size(752, 1392),
            new Size(800, 1328),
            new Size(832, 1248),
            new Size(880, 1184),
            new Size(944, 1104),
            new Size(1024, 1024),
            new Size(1104, 944),
            new Size(1184, 880),
            new Size(1248, 832),
            new Size(1328, 800),
            new Size(1392, 752),
            new Size(1456, 720),
            new Size(1504, 688),
            new Size(1568, 672));

    private KontextPictures() {}

    /** Width and height of a picture, in pixels. */
    public record Size(int width, int height) {}

    /**
     * Returns the size rounded down to multiples of {@value #MULTIPLE}.
     *
     * @throws IllegalArgumentException if a side is shorter
     */
    public static Size flooredSize(int width, int height) {
        if (width < MULTIPLE || height < MULTIPLE) {
            throw new IllegalArgumentException(
                    "a picture of %dx%d pixels; sides have at least %d".formatted(width, height, MULTIPLE));
        }
        return new Size(width / MULTIPLE * MULTIPLE, height / MULTIPLE * MULTIPLE);
    }

    /**
     * Returns the size around one megapixel with the nearest aspect ratio that the model was trained on. As in the pipeline, the
     * aspect ratio is that of the size rounded down to multiples of {@value #MULTIPLE}.
     */
    public static Size preferredSize(int width, int height) {
        Size floored = flooredSize(width, height);
        double ratio = (double) floored.width / floored.height;
        Size nearest = PREFERRED.getFirst();
        double least = Double.POSITIVE_INFINITY;
        for (Size size :
                PREFERRED) { // ascending widths: of two equally near, the narrower one, as Python's min of tuples
            double difference = Math.abs(ratio - (double) size.width / size.height);
            if (difference < least) {
                least = difference;
                nearest = size;
            }
        }
        return flooredSize(nearest.width, nearest.height);
    }

    /**
     * Returns a reference picture as the pipeline gives it to the autoencoder: resized by Pillow's Lanczos filter.
     *
     * @param autoResize whether to {@link #preferredSize}, the pipeline's default, or to {@link #flooredSize}
     */
    public static RgbImage reference(RgbImage picture, boolean autoResize) {
        Size size = autoResize
                ? preferredSize(picture.width(), picture.height())
                : flooredSize(picture.width(), picture.height());
        return PillowResize.resized(picture, size.width, size.height, PillowResize.Filter.LANCZOS);
    }

    /** Returns the central square, resized by Pillow's Lanczos filter: a source picture of training in Edit-R1's public code. */
    public static RgbImage trainingSquare(RgbImage picture, int side) {
        return PillowResize.resized(picture.centreSquare(), side, side, PillowResize.Filter.LANCZOS);
    }

    /** Returns the input of the autoencoder, [1, 3, height, width]: {@code 2 * (value / 255) - 1} in float32. */
    public static float[] pixels(RgbImage picture) {
        byte[] rgb = picture.bytes();
        int size = picture.width() * picture.height();
        float[] pixels = new float[3 * size];
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < size; i++) {
                pixels[c * size + i] = 2f * ((rgb[i * 3 + c] & 255) / 255f) - 1f;
            }
        }
        return pixels;
    }

    /**
     * Returns the picture of decoded pixels: (x / 2 + 0.5, clamped to [0, 1]) * 255, rounded half to even.
     *
     * @param pixels [3, height, width]
     * @throws IllegalArgumentException if a value is no number
     */
    public static RgbImage picture(float[] pixels, int width, int height) {
        int size = width * height;
        byte[] rgb = new byte[3 * size];
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < size; i++) {
                float value = pixels[c * size + i];
                if (Float.isNaN(value)) {
                    throw new IllegalArgumentException(
                            "channel %d of pixel (%d, %d) is no number; the latent was none, or the weights are damaged"
                                    .formatted(c, i % width, i / width));
                }
                rgb[i * 3 + c] = (byte) Math.rint(Math.clamp(value * 0.5f + 0.5f, 0f, 1f) * 255f);
            }
        }
        return RgbImage.owning(width, height, rgb);
    }
}
