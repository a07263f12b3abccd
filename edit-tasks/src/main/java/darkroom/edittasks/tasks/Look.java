package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.Pixels;
import java.util.List;

/** Treatments of a whole picture that have one exact result. */
final class Look {
    static final List<String> NAMES = List.of("gray", "sepia", "negative", "poster", "pixel art", "blurred");

    private Look() {}

    static float[] apply(float[] rgb, int n, String look) {
        return switch (look) {
            case "" -> rgb;
            case "gray" -> mixed(rgb, 1, 1, 1, 0);
            case "sepia" -> mixed(rgb, 1.07f, .95f, .74f, 6);
            case "negative" -> {
                for (int i = 0; i < rgb.length; i++) {
                    rgb[i] = 255 - rgb[i];
                }
                yield rgb;
            }
            case "poster" -> {
                for (int i = 0; i < rgb.length; i++) {
                    rgb[i] = Math.min(3, (int) (rgb[i] / 64)) * 85;
                }
                yield rgb;
            }
            case "pixel art" -> blocks(rgb, n, n / 8);
            case "blurred" -> Pixels.blur(rgb, n, n / 16);
            default -> throw new IllegalArgumentException("no look " + look);
        };
    }

    private static float[] mixed(float[] rgb, float red, float green, float blue, float lift) {
        for (int p = 0; p < rgb.length; p += 3) {
            float luma = .299f * rgb[p] + .587f * rgb[p + 1] + .114f * rgb[p + 2];
            rgb[p] = luma * red + lift;
            rgb[p + 1] = luma * green + lift;
            rgb[p + 2] = luma * blue + lift;
        }
        return rgb;
    }

    private static float[] blocks(float[] rgb, int n, int side) {
        int few = n / side;
        float[] small = Pixels.resize(new Pixels.Raster(rgb, n, 3), few, few);
        for (int y = 0; y < n; y++) {
            for (int x = 0; x < n; x++) {
                System.arraycopy(small, (y / side * few + x / side) * 3, rgb, (y * n + x) * 3, 3);
            }
        }
        return rgb;
    }
}
