package darkroom.edittasks.tasks;

/** Backdrops drawn by formula, at any size. */
final class Landscape {
    private static final int SAMPLES = 4;

    private Landscape() {}

    /** Returns three floats per pixel: the mean of {@value #SAMPLES} by {@value #SAMPLES} points each. */
    static float[] paint(String name, int n) {
        float[] canvas = new float[3 * n * n];
        for (int y = 0; y < n; y++) {
            for (int x = 0; x < n; x++) {
                for (int s = 0; s < SAMPLES * SAMPLES; s++) {
                    double u = (x + (s % SAMPLES + .5) / SAMPLES) / n;
                    double v = (y + (Math.floorDiv(s, SAMPLES) + .5) / SAMPLES) / n;
                    int rgb = colour(name, u, v);
                    for (int c = 0; c < 3; c++) {
                        canvas[(y * n + x) * 3 + c] += (float) (rgb >> (16 - 8 * c) & 255) / (SAMPLES * SAMPLES);
                    }
                }
            }
        }
        return canvas;
    }

    private static int colour(String name, double u, double v) {
        return switch (name) {
            case "meadow" -> {
                double hill = .6 + .05 * Math.sin(u * 5 + 1);
                if (disc(u, v, .25, .17, .07) || disc(u, v, .34, .19, .06) || disc(u, v, .17, .2, .05)) {
                    yield 0xffffff;
                }
                yield v < hill ? blend(0x7db9ff, 0xd9ecff, v / .6) : blend(0x6cc04a, 0x2e8b2e, (v - hill) / .4);
            }
            case "beach" -> {
                if (disc(u, v, .82, .14, .08)) {
                    yield 0xfff3a0;
                }
                yield v < .42
                        ? blend(0x8fd3ff, 0xe4f6ff, v / .42)
                        : v < .6
                                ? blend(0x1d78b8, 0x3fa9d8, (v - .42) / .18)
                                : blend(0xf6e0a8, 0xdcb978, (v - .6) / .4);
            }
            case "room" -> {
                if (v > .74) {
                    yield v < .77 ? 0x8a5a34 : blend(0xc08552, 0xa06a3c, (v - .77) / .23);
                }
                boolean frame = u > .62 && u < .9 && v > .1 && v < .42;
                boolean glass = u > .65 && u < .87 && v > .13 && v < .39 && Math.abs(u - .76) > .012;
                yield glass ? 0xbfe3ff : frame ? 0xffffff : (int) (u * 8) % 2 == 0 ? 0xf2d9b8 : 0xecceaa;
            }
            case "night" -> {
                if (disc(u, v, .8, .17, .09) && !disc(u, v, .76, .15, .08)) {
                    yield 0xfff6c8;
                }
                int cell = 31 * (int) (u * 8) + 17 * (int) (v * 8);
                boolean star = v < .7 && cell % 5 == 2 && disc(u * 8 % 1, v * 8 % 1, .5, .5, .16);
                yield v > .8 ? 0x1e3326 : star ? 0xffffff : blend(0x101040, 0x322a68, v / .8);
            }
            case "snow" -> {
                double hill = .56 + .04 * Math.cos(u * 6);
                int cell = 7 * (int) (u * 6) + 11 * (int) (v * 6);
                boolean flake = v < hill && cell % 3 == 1 && disc(u * 6 % 1, v * 6 % 1, .5, .5, .17);
                yield flake || v >= hill
                        ? blend(0xffffff, 0xe2ecf6, Math.max(0, v - hill) * 2)
                        : blend(0x9db8d2, 0xc8d8e8, v / .56);
            }
            case "sunset" -> {
                if (v < .62 && disc(u, v, .5, .58, .17)) {
                    yield 0xffee88;
                }
                yield v < .62
                        ? v < .3 ? blend(0x6a3d8a, 0xd9567a, v / .3) : blend(0xd9567a, 0xffa94d, (v - .3) / .32)
                        : Math.abs(u - .5) < .14 - (v - .62) * .2
                                ? 0xe88a5a
                                : blend(0x7a3b6e, 0x35204e, (v - .62) / .38);
            }
            case "sea" -> {
                if (disc(u, v, .2, .3, .05)
                        || disc(u, v, .27, .16, .035)
                        || disc(u, v, .8, .4, .045)
                        || disc(u, v, .74, .22, .03)) {
                    yield 0xd8f6ff;
                }
                double sand = .84 + .03 * Math.sin(u * 9);
                yield v > sand ? 0xe0c88a : blend(0x35b5d9, 0x0b4f8a, v / .84);
            }
            case "forest" -> {
                if (v > .82) {
                    yield 0x5b4a2a;
                }
                double lane = u * 4.5 % 1;
                double peak = .12 + .1 * ((int) (u * 4.5) % 2);
                double half = (v - peak) % .24 / .24 * .32 + (v - peak) * .18;
                boolean trunk = v > .7 && Math.abs(lane - .5) < .08;
                boolean needles = v > peak && v < .72 && Math.abs(lane - .5) < half;
                yield trunk ? 0x6b4423 : needles ? 0x1f6b35 : blend(0xa9d6b0, 0x4f8f5a, v / .82);
            }
            default -> throw new IllegalArgumentException("no backdrop " + name);
        };
    }

    private static boolean disc(double u, double v, double x, double y, double radius) {
        return (u - x) * (u - x) + (v - y) * (v - y) < radius * radius;
    }

    private static int blend(int from, int to, double t) {
        double share = Math.clamp(t, 0, 1);
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int a = from >> shift & 255;
            int b = to >> shift & 255;
            rgb |= (int) Math.round(a + (b - a) * share) << shift;
        }
        return rgb;
    }
}
