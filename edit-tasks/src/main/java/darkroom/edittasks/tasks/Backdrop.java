package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.Pixels;
import java.util.List;
import java.util.Map;

/** The background behind the objects of a scene. */
sealed interface Backdrop {
    /** Backdrops drawn from an icon, by their name in instructions. */
    Map<String, String> SCENERY = Map.of(
            "desert", "desert",
            "city", "cityscape-at-dusk",
            "mountains", "sunrise-over-mountains",
            "park", "national-park",
            "galaxy", "milky-way",
            "fog", "foggy",
            "bridge", "bridge-at-night");

    /** Backdrops used in training, in the order that decides which are held out. */
    List<String> NAMES = List.of(
            "meadow",
            "beach",
            "room",
            "night",
            "snow",
            "sunset",
            "sea",
            "desert",
            "forest",
            "city",
            "mountains",
            "park",
            "galaxy");

    /** Backdrops never used in training. */
    List<String> UNSEEN_NAMES = List.of("fog", "bridge");

    List<String> PHOTOS = List.of("Balloons600.jpg", "Flower.jpg", "WartburgSmall.jpg");

    List<String> UNSEEN_PHOTOS = List.of("PostalPackageSmall.jpg");

    /** Returns three floats (0 to 255) per pixel for a canvas of {@code n} by {@code n} pixels; the caller owns them. */
    float[] paint(int n);

    /** A backdrop with a name used in instructions. */
    record Named(String name) implements Backdrop {
        @Override
        public float[] paint(int n) {
            return Art.backdrop(name, n);
        }
    }

    /** A backdrop of one colour. */
    record Plain(float level) implements Backdrop {
        static final Plain WHITE = new Plain(255);

        @Override
        public float[] paint(int n) {
            float[] canvas = new float[3 * n * n];
            java.util.Arrays.fill(canvas, level);
            return canvas;
        }
    }

    /**
     * A square cut out of a photograph, softened and moved a third of the way to its mean.
     *
     * @param extent side of the square over the photograph's shorter side
     * @param x horizontal position of the square between left (0) and right (1)
     * @param y vertical position between top (0) and bottom (1)
     */
    record Photo(String file, double extent, double x, double y) implements Backdrop {
        @Override
        public float[] paint(int n) {
            Art.Photograph photo = Art.photo(file);
            double side = extent * Math.min(photo.width(), photo.height());
            double left = x * (photo.width() - side);
            double top = y * (photo.height() - side);
            Pixels.Raster whole = new Pixels.Raster(photo.rgb(), photo.width(), 3);
            Pixels.Area cut = new Pixels.Area(left, top, left + side, top + side);
            float[] canvas = Pixels.blur(Pixels.resize(whole, cut, n, n), n, n / 32);
            for (int c = 0; c < 3; c++) {
                float mean = 0;
                for (int p = c; p < canvas.length; p += 3) {
                    mean += canvas[p];
                }
                mean /= n * n;
                for (int p = c; p < canvas.length; p += 3) {
                    canvas[p] += (mean - canvas[p]) * .33f;
                }
            }
            return canvas;
        }
    }
}
