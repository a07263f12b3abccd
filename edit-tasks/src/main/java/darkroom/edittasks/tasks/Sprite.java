package darkroom.edittasks.tasks;

/** A square picture with transparency: four floats per pixel, red green blue (0 to 255, times alpha) and alpha (0 to 1). */
final class Sprite {
    private final int side;
    private final float[] rgba;

    Sprite(int side, float[] rgba) {
        this.side = side;
        this.rgba = rgba;
    }

    int side() {
        return side;
    }

    float[] rgba() {
        return rgba;
    }

    /** Draws this sprite over an RGB canvas of {@code n} by {@code n} pixels with its corner at (left, top), clipped. */
    void over(float[] canvas, int n, int left, int top, boolean mirrored, boolean inverted) {
        for (int y = Math.max(0, -top); y < Math.min(side, n - top); y++) {
            int row = inverted ? side - 1 - y : y;
            for (int x = Math.max(0, -left); x < Math.min(side, n - left); x++) {
                int from = (row * side + (mirrored ? side - 1 - x : x)) * 4;
                int to = ((top + y) * n + left + x) * 3;
                float rest = 1 - rgba[from + 3];
                for (int c = 0; c < 3; c++) {
                    canvas[to + c] = canvas[to + c] * rest + rgba[from + c];
                }
            }
        }
    }
}
