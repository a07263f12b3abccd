package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.RgbImage;

/**
 * Closeness of an edit to the exact target, from 0 to 1. Pixel values count from 0 to 1; the mask is where the target differs
 * from the source.
 *
 * @param score geometric mean of {@code inside} and {@code outside}
 * @param inside 1 - rmse inside the mask / the same of the unedited source, clamped to [0, 1]; 1 where the mask is empty
 * @param outside 1 - rmse outside the mask / 0.25, clamped to [0, 1]; 1 where fewer than 12 values lie outside
 * @param psnrInside peak signal-to-noise ratio inside the mask in dB, at most {@link #PSNR_MAX}
 * @param psnrOutside the same outside
 * @param maskPixels pixels in the mask
 */
public record GroundTruth(
        double score, double inside, double outside, double psnrInside, double psnrOutside, int maskPixels) {
    /** Value for an error of zero, in dB. */
    public static final double PSNR_MAX = 60;

    private static final double CHANGE_MIN = .06;
    private static final double OUTSIDE_SCALE = .25;
    private static final int OUTSIDE_VALUES_MIN = 12;

    /**
     * Measures {@code edited} against {@code target}.
     *
     * @throws IllegalArgumentException if the three pictures differ in size
     */
    public static GroundTruth measure(RgbImage source, RgbImage edited, RgbImage target) {
        sameSize(source, target);
        sameSize(source, edited);
        int pixels = source.width() * source.height();
        float[] planar = new float[9 * pixels];
        source.planar(planar, 0);
        edited.planar(planar, 3 * pixels);
        target.planar(planar, 6 * pixels);
        return measure(new Planar(planar, 0), new Planar(planar, 3 * pixels), new Planar(planar, 6 * pixels), pixels);
    }

    /**
     * A picture as [3, pixels] floats in [-1, 1] ({@link RgbImage#planar}).
     *
     * @param values an array with the picture in it; shared, not copied
     * @param at index of the first float
     */
    @SuppressWarnings("ArrayRecordComponent") // a view of memory; never compared
    public record Planar(float[] values, int at) {}

    /** Measures pictures of {@code pixels} pixels. Values of the edit beyond [-1, 1] count as clamped. */
    public static GroundTruth measure(Planar source, Planar edited, Planar target, int pixels) {
        double in = 0;
        double inCopied = 0;
        double out = 0;
        int mask = 0;
        for (int p = 0; p < pixels; p++) {
            double change = 0;
            double copied = 0;
            double error = 0;
            for (int c = 0; c < 3; c++) {
                int k = c * pixels + p;
                double right = target.values[target.at + k];
                double before = (source.values[source.at + k] - right) / 2;
                double now = (Math.clamp(edited.values[edited.at + k], -1f, 1f) - right) / 2;
                change = Math.max(change, Math.abs(before));
                copied += before * before;
                error += now * now;
            }
            if (change > CHANGE_MIN) {
                mask++;
                in += error;
                inCopied += copied;
            } else {
                out += error;
            }
        }
        int outsideValues = 3 * (pixels - mask);
        double rmseIn = Math.sqrt(in / Math.max(1, 3 * mask));
        double rmseOut = Math.sqrt(out / Math.max(1, outsideValues));
        double inside = mask == 0 ? 1 : Math.clamp(1 - Math.sqrt(in / inCopied), 0, 1);
        double outside = outsideValues < OUTSIDE_VALUES_MIN ? 1 : Math.clamp(1 - rmseOut / OUTSIDE_SCALE, 0, 1);
        return new GroundTruth(Math.sqrt(inside * outside), inside, outside, psnr(rmseIn), psnr(rmseOut), mask);
    }

    /** Returns for each pixel, row by row, whether any channel differs by more than .06 of full scale. */
    public static boolean[] changed(RgbImage source, RgbImage target) {
        sameSize(source, target);
        byte[] a = source.bytes();
        byte[] b = target.bytes();
        boolean[] changed = new boolean[a.length / 3];
        for (int i = 0; i < a.length; i++) {
            changed[i / 3] |= Math.abs((a[i] & 255) - (b[i] & 255)) > CHANGE_MIN * 255;
        }
        return changed;
    }

    private static double psnr(double rmse) {
        return rmse <= 0 ? PSNR_MAX : Math.min(PSNR_MAX, -20 * Math.log10(rmse));
    }

    private static void sameSize(RgbImage a, RgbImage b) {
        if (a.width() != b.width() || a.height() != b.height()) {
            throw new IllegalArgumentException("pictures of " + a.width() + "x" + a.height() + " and " + b.width() + "x"
                    + b.height() + " pixels cannot be compared; make them the same size");
        }
    }
}
