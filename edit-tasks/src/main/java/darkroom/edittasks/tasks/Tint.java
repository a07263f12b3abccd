package darkroom.edittasks.tasks;

import java.awt.Color;

/** Recolours a sprite: its dominant hue becomes another, or all of it becomes darker or brighter. */
final class Tint {
    private static final int BINS = 36;
    private static final float SATURATION_MIN = .15f;
    private static final float HUE_REACH = .11f;

    private Tint() {}

    static Sprite apply(Sprite sprite, String tint) {
        float[] out = sprite.rgba().clone();
        switch (tint) {
            case "darker" -> {
                for (int p = 0; p < out.length; p += 4) {
                    for (int c = 0; c < 3; c++) {
                        out[p + c] *= .5f;
                    }
                }
            }
            case "brighter" -> {
                for (int p = 0; p < out.length; p += 4) {
                    for (int c = 0; c < 3; c++) {
                        out[p + c] = out[p + c] * .5f + 127.5f * out[p + 3];
                    }
                }
            }
            default -> {
                float hue = (float) Catalogue.COLOURS.stream()
                        .filter(colour -> colour.say().equals(tint))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("no tint " + tint))
                        .hue();
                float peak = dominantHue(sprite);
                float[] hsb = new float[3];
                for (int p = 0; p < out.length; p += 4) {
                    if (hsbAt(out, p, hsb) && hueDistance(hsb[0], peak) < HUE_REACH) {
                        int rgb = Color.HSBtoRGB(hue, Math.max(hsb[1], .55f), hsb[2]);
                        for (int c = 0; c < 3; c++) {
                            out[p + c] = (rgb >> (16 - 8 * c) & 255) * out[p + 3];
                        }
                    }
                }
            }
        }
        return new Sprite(sprite.side(), out);
    }

    /** Returns the middle of the fullest of {@value #BINS} hue bins, or -1 if hardly any pixel has a hue. */
    static float dominantHue(Sprite sprite) {
        float[] weight = new float[BINS];
        float[] hsb = new float[3];
        float all = 0;
        float hued = 0;
        for (int p = 0; p < sprite.rgba().length; p += 4) {
            all += sprite.rgba()[p + 3];
            if (hsbAt(sprite.rgba(), p, hsb)) {
                weight[(int) (hsb[0] * BINS) % BINS] += hsb[1];
                hued += sprite.rgba()[p + 3];
            }
        }
        int best = 0;
        float bestWeight = -1;
        for (int b = 0; b < BINS; b++) {
            float around = weight[b] + .5f * (weight[(b + 1) % BINS] + weight[(b + BINS - 1) % BINS]);
            if (around > bestWeight) {
                bestWeight = around;
                best = b;
            }
        }
        return hued < .1f * all ? -1 : (best + .5f) / BINS;
    }

    /** Returns the share of the sprite's area that a recolouring changes. */
    static float recolourable(Sprite sprite) {
        float peak = dominantHue(sprite);
        float[] hsb = new float[3];
        float all = 0;
        float near = 0;
        for (int p = 0; p < sprite.rgba().length; p += 4) {
            all += sprite.rgba()[p + 3];
            if (hsbAt(sprite.rgba(), p, hsb) && hueDistance(hsb[0], peak) < HUE_REACH) {
                near += sprite.rgba()[p + 3];
            }
        }
        return peak < 0 ? 0 : near / all;
    }

    static float hueDistance(float a, float b) {
        float distance = Math.abs(a - b);
        return Math.min(distance, 1 - distance);
    }

    private static boolean hsbAt(float[] rgba, int p, float[] hsb) {
        float alpha = rgba[p + 3];
        if (alpha < .02f) {
            return false;
        }
        Color.RGBtoHSB(
                Math.min(255, Math.round(rgba[p] / alpha)),
                Math.min(255, Math.round(rgba[p + 1] / alpha)),
                Math.min(255, Math.round(rgba[p + 2] / alpha)),
                hsb);
        return hsb[1] > SATURATION_MIN;
    }
}
