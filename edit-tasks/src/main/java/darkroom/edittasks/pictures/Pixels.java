package darkroom.edittasks.pictures;

/** Arithmetic on interleaved float pictures. */
public final class Pixels {
    private Pixels() {}

    /**
     * A float picture.
     *
     * @param values {@code channels} interleaved floats per pixel, row by row; shared, not copied
     * @param width pixels per row
     */
    @SuppressWarnings("ArrayRecordComponent") // a view of memory; never compared
    public record Raster(float[] values, int width, int channels) {
        int height() {
            return values.length / (width * channels);
        }
    }

    /** A rectangle in pixels of a picture, from (x0, y0) to (x1, y1). */
    public record Area(double x0, double y0, double x1, double y1) {}

    /** Resizes a whole picture; see {@link #resize(Raster, Area, int, int)}. */
    public static float[] resize(Raster from, int toWidth, int toHeight) {
        return resize(from, new Area(0, 0, from.width(), from.height()), toWidth, toHeight);
    }

    /**
     * Resizes a part of a picture by area averaging: each new pixel is the mean of the area that it covers.
     *
     * @return {@code channels * toWidth * toHeight} floats
     */
    public static float[] resize(Raster picture, Area part, int toWidth, int toHeight) {
        float[] from = picture.values();
        int width = picture.width();
        int channels = picture.channels();
        double x0 = part.x0();
        double y0 = part.y0();
        int firstRow = (int) Math.floor(y0);
        int rows = Math.min((int) Math.ceil(part.y1()), picture.height()) - firstRow;
        float[] narrow = new float[rows * toWidth * channels];
        double stepX = (part.x1() - x0) / toWidth;
        for (int x = 0; x < toWidth; x++) {
            double low = x0 + x * stepX;
            double high = low + stepX;
            for (int i = (int) Math.floor(low); i < Math.min(width, Math.ceil(high - 1e-9)); i++) {
                float weight = (float) ((Math.min(high, i + 1.0) - Math.max(low, i)) / stepX);
                for (int y = 0; y < rows; y++) {
                    for (int c = 0; c < channels; c++) {
                        narrow[(y * toWidth + x) * channels + c] +=
                                weight * from[((firstRow + y) * width + i) * channels + c];
                    }
                }
            }
        }
        float[] to = new float[toHeight * toWidth * channels];
        double stepY = (part.y1() - y0) / toHeight;
        for (int y = 0; y < toHeight; y++) {
            double low = y0 + y * stepY;
            double high = low + stepY;
            for (int i = (int) Math.floor(low); i < Math.min(firstRow + rows, Math.ceil(high - 1e-9)); i++) {
                float weight = (float) ((Math.min(high, i + 1.0) - Math.max(low, i)) / stepY);
                int row = (i - firstRow) * toWidth * channels;
                for (int k = 0; k < toWidth * channels; k++) {
                    to[y * toWidth * channels + k] += weight * narrow[row + k];
                }
            }
        }
        return to;
    }

    /** Computes the mean over a square window of {@code 2 * radius + 1} pixels, cut at the borders. */
    public static float[] blur(float[] rgb, int n, int radius) {
        float[] out = new float[rgb.length];
        for (int y = 0; y < n; y++) {
            for (int x = 0; x < n; x++) {
                for (int c = 0; c < 3; c++) {
                    float sum = 0;
                    int count = 0;
                    for (int v = Math.max(0, y - radius); v <= Math.min(n - 1, y + radius); v++) {
                        for (int u = Math.max(0, x - radius); u <= Math.min(n - 1, x + radius); u++) {
                            sum += rgb[(v * n + u) * 3 + c];
                            count++;
                        }
                    }
                    out[(y * n + x) * 3 + c] = sum / count;
                }
            }
        }
        return out;
    }

    public static RgbImage image(float[] canvas, int n) {
        byte[] rgb = new byte[canvas.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) Math.round(Math.clamp(canvas[i], 0f, 255f));
        }
        return RgbImage.owning(n, n, rgb);
    }
}
