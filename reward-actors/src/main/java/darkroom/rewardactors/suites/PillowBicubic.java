package darkroom.rewardactors.suites;

import darkroom.edittasks.pictures.RgbImage;

/**
 * Resizes like Pillow's {@code Image.resize} by default, bit by bit: bicubic (a = -0.5), with a wider support where the
 * picture shrinks, the rows first and then the columns, each in integers of {@value #PRECISION_BITS} fractional bits.
 * GEdit-Bench resizes edited pictures to their source with it.
 */
final class PillowBicubic {
    private static final int PRECISION_BITS = 22;
    private static final double SUPPORT = 2;
    private static final double A = -.5;

    private PillowBicubic() {}

    /** Returns the picture in this size; the same object if it already has it. */
    static RgbImage resized(RgbImage image, int width, int height) {
        byte[] rgb = image.rgb();
        if (image.width() != width) {
            rgb = along(rgb, image.height(), image.width(), width, 3 * image.width(), 3, 3 * width);
        }
        if (image.height() != height) {
            rgb = along(rgb, width, image.height(), height, 3, 3 * width, 3);
        }
        return RgbImage.of(width, height, rgb);
    }

    /**
     * Resizes every line of pixels along one axis.
     *
     * @param lineStride bytes from one line to the next, in the input
     * @param pixelStride bytes from one pixel of a line to the next, in both
     * @param outLineStride bytes from one line to the next, in the output
     */
    private static byte[] along(
            byte[] in, int lines, int from, int to, int lineStride, int pixelStride, int outLineStride) {
        byte[] out = new byte[3 * lines * to];
        double scale = (double) from / to;
        double filterScale = Math.max(1, scale);
        double support = SUPPORT * filterScale;
        for (int i = 0; i < to; i++) {
            double centre = (i + .5) * scale;
            int first = Math.max(0, (int) (centre - support + .5));
            int end = Math.min(from, (int) (centre + support + .5));
            int[] weights = weights(first, end, centre, 1 / filterScale);
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

    private static int[] weights(int first, int end, double centre, double step) {
        double[] exact = new double[end - first];
        double sum = 0;
        for (int k = 0; k < exact.length; k++) {
            exact[k] = bicubic((k + first - centre + .5) * step);
            sum += exact[k];
        }
        int[] weights = new int[exact.length];
        for (int k = 0; k < weights.length; k++) {
            double weight = exact[k] / sum * (1 << PRECISION_BITS);
            weights[k] = (int) (weight < 0 ? weight - .5 : weight + .5);
        }
        return weights;
    }

    private static double bicubic(double signed) {
        double x = Math.abs(signed);
        if (x < 1) {
            return ((A + 2) * x - (A + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }
}
