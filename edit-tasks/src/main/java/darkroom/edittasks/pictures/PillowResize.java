package darkroom.edittasks.pictures;

/**
 * Resizes like Pillow's {@code Image.resize}, bit by bit: with a wider support where the picture shrinks, the rows first and then
 * the columns, each in integers of {@value #PRECISION_BITS} fractional bits, rounded and clipped (libImaging/Resample.c).
 */
public final class PillowResize {
    private static final int PRECISION_BITS = 22;
    private static final double A = -.5;

    /** Filters of Pillow, by their names there. */
    public enum Filter {
        /** The default of {@code Image.resize}: cubic convolution with a = -0.5. */
        BICUBIC(2),
        /** A sinc, windowed by the central lobe of one that is three times as wide. */
        LANCZOS(3);

        private final int support;

        Filter(int support) {
            this.support = support;
        }

        private double weight(double x) {
            return switch (this) {
                case BICUBIC -> bicubic(Math.abs(x));
                case LANCZOS -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
            };
        }
    }

    private PillowResize() {}

    /** Returns the picture in this size. */
    public static RgbImage resized(RgbImage image, int width, int height, Filter filter) {
        byte[] rgb = image.rgb();
        if (image.width() != width) {
            rgb = along(rgb, image.height(), image.width(), width, 3 * image.width(), 3, 3 * width, filter);
        }
        if (image.height() != height) {
            rgb = along(rgb, width, image.height(), height, 3, 3 * width, 3, filter);
        }
        return RgbImage.owning(width, height, rgb);
    }

    /**
     * Resizes every line of pixels along one axis.
     *
     * @param lineStride bytes from one line to the next, in the input
     * @param pixelStride bytes from one pixel of a line to the next, in both
     * @param outLineStride bytes from one line to the next, in the output
     */
    private static byte[] along(
            byte[] in, int lines, int from, int to, int lineStride, int pixelStride, int outLineStride, Filter filter) {
        byte[] out = new byte[3 * lines * to];
        double scale = (double) from / to;
        double filterScale = Math.max(1, scale);
        double support = filter.support * filterScale;
        for (int i = 0; i < to; i++) {
            double centre = (i + .5) * scale;
            int first = Math.max(0, (int) (centre - support + .5));
            int end = Math.min(from, (int) (centre + support + .5));
            int[] weights = weights(filter, first, end, centre, 1 / filterScale);
            for (int line = 0; line < lines; line++) {
                for (int c = 0; c < 3; c++) {
                    int sum = 1 << (PRECISION_BITS - 1);
                    int at = line * lineStride + first * pixelStride + c;
                    for (int weight : weights) {
                        sum += (in[at] & 255) * weight;
                        at += pixelStride;
                    }
                    out[line * outLineStride + i * pixelStride + c] = (byte) Math.clamp(sum >> PRECISION_BITS, 0, 255);
                }
            }
        }
        return out;
    }

    private static int[] weights(Filter filter, int first, int end, double centre, double step) {
        double[] exact = new double[end - first];
        double sum = 0;
        for (int k = 0; k < exact.length; k++) {
            exact[k] = filter.weight((k + first - centre + .5) * step);
            sum += exact[k];
        }
        int[] weights = new int[exact.length];
        for (int k = 0; k < weights.length; k++) {
            double weight = exact[k] / sum * (1 << PRECISION_BITS);
            weights[k] = (int) (weight < 0 ? weight - .5 : weight + .5);
        }
        return weights;
    }

    private static double bicubic(double x) {
        if (x < 1) {
            return ((A + 2) * x - (A + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : StrictMath.sin(x * Math.PI) / (x * Math.PI);
    }
}
