package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScoringMethod;

/**
 * A question of the client itself: two pictures that any scorer accepts, to find out what a server supports and whether it
 * has changed.
 */
final class Canary {
    private static final int SIDE = 64;
    private static final int GREY = 0xb0;
    private static final PngImage SOURCE = square(0xe0, 0x20, 0x20);
    private static final PngImage EDITED = square(0x20, 0x40, 0xe0);

    private Canary() {}

    static ScorerCall call(ScoringMethod method) {
        ScoreRequest request = request();
        return new ScorerCall(request, method.words(request));
    }

    static ScoreRequest request() {
        return new ScoreRequest(
                "canary",
                SOURCE,
                EDITED,
                null,
                "change the color of the square from red to blue",
                "Only the square changes.");
    }

    /** Pixels of a fixed pseudo-random sequence, which do not look like an edit of the square. */
    static PngImage noise() {
        byte[] rgb = new byte[SIDE * SIDE * 3];
        int state = 1;
        for (int i = 0; i < rgb.length; i++) {
            state = state * 1_664_525 + 1_013_904_223; // Knuth's linear congruential generator
            rgb[i] = (byte) (state >>> 24);
        }
        return PngImage.ofPixels(SIDE, SIDE, rgb);
    }

    /** A coloured square in the middle of a grey picture. */
    private static PngImage square(int red, int green, int blue) {
        byte[] rgb = new byte[SIDE * SIDE * 3];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                boolean inside = x >= SIDE / 4 && x < SIDE * 3 / 4 && y >= SIDE / 4 && y < SIDE * 3 / 4;
                int at = (y * SIDE + x) * 3;
                rgb[at] = (byte) (inside ? red : GREY);
                rgb[at + 1] = (byte) (inside ? green : GREY);
                rgb[at + 2] = (byte) (inside ? blue : GREY);
            }
        }
        return PngImage.ofPixels(SIDE, SIDE, rgb);
    }
}
