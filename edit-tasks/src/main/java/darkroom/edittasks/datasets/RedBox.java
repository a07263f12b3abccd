package darkroom.edittasks.datasets;

import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.pictures.RgbImage;

/** The red rectangle that marks an object instead of its name. */
final class RedBox {
    private RedBox() {}

    /**
     * Returns a picture with a red rectangle round a box: lines of one pixel for every 128 of the shorter side, at least one,
     * outside the box as far as the picture extends.
     */
    static RgbImage around(RgbImage picture, Box box) {
        int width = picture.width();
        int height = picture.height();
        int line = Math.max(1, Math.round(Math.min(width, height) / 128f));
        int left = Math.max(0, (int) Math.floor(box.left()) - line);
        int top = Math.max(0, (int) Math.floor(box.top()) - line);
        int right = Math.min(width, (int) Math.ceil(box.right()) + line);
        int bottom = Math.min(height, (int) Math.ceil(box.bottom()) + line);
        byte[] rgb = picture.rgb();
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                if (x < left + line || x >= right - line || y < top + line || y >= bottom - line) {
                    int p = 3 * (y * width + x);
                    rgb[p] = (byte) 255;
                    rgb[p + 1] = 0;
                    rgb[p + 2] = 0;
                }
            }
        }
        return RgbImage.owning(width, height, rgb);
    }
}
