package darkroom.edittasks.tasks;

import java.util.Map;
import java.util.TreeMap;

/** A sign on a pole with capital letters of 5 by 7 dots, drawn without any font. */
final class Lettering {
    private static final String GLYPHS = """
        A01110100011000111111100011000110001
        B11110100011000111110100011000111110
        C01110100011000010000100001000101110
        D11110100011000110001100011000111110
        E11111100001000011110100001000011111
        F11111100001000011110100001000010000
        G01110100011000010111100011000101110
        H10001100011000111111100011000110001
        I01110001000010000100001000010001110
        J00111000100001000010000101001001100
        K10001100101010011000101001001010001
        L10000100001000010000100001000011111
        M10001110111010110101100011000110001
        N10001110011010110011100011000110001
        O01110100011000110001100011000101110
        P11110100011000111110100001000010000
        Q01110100011000110001101011001001101
        R11110100011000111110101001001010001
        S01111100001000001110000010000111110
        T11111001000010000100001000010000100
        U10001100011000110001100011000101110
        V10001100011000110001100010101000100
        W10001100011000110101101011010101010
        X10001100010101000100010101000110001
        Y10001100010101000100001000010000100
        Z11111000010001000100010001000011111
        """;

    private static final Map<Character, String> DOTS = new TreeMap<>();

    static {
        GLYPHS.lines().forEach(line -> DOTS.put(line.charAt(0), line.substring(1)));
    }

    private static final int BOARD_WIDTH = 29;
    private static final int BOARD_TOP = 7;
    private static final int BOARD_HEIGHT = 13;

    /** A rectangle of dots, from its corner at the top left. */
    private record Rectangle(int x, int y, int width, int height) {}

    private Lettering() {}

    /** Draws the sign in the middle of a canvas of {@code n} by {@code n} pixels; a dot is n/32 pixels. */
    static void draw(float[] canvas, int n, String word) {
        int left = (32 - BOARD_WIDTH) / 2;
        fill(canvas, n, new Rectangle(15, BOARD_TOP + BOARD_HEIGHT, 2, 32), 0x7a4a26);
        fill(canvas, n, new Rectangle(left, BOARD_TOP, BOARD_WIDTH, BOARD_HEIGHT), 0x4a2c12);
        fill(canvas, n, new Rectangle(left + 1, BOARD_TOP + 1, BOARD_WIDTH - 2, BOARD_HEIGHT - 2), 0xffffff);
        int x = left + (BOARD_WIDTH - (6 * word.length() - 1)) / 2;
        for (int i = 0; i < word.length(); i++) {
            String dots = DOTS.get(word.charAt(i));
            if (dots == null) {
                throw new IllegalArgumentException("no letter '" + word.charAt(i) + "'; signs have A to Z");
            }
            for (int dot = 0; dot < 35; dot++) {
                if (dots.charAt(dot) == '1') {
                    fill(canvas, n, new Rectangle(x + 6 * i + dot % 5, BOARD_TOP + 3 + dot / 5, 1, 1), 0x101010);
                }
            }
        }
    }

    private static void fill(float[] canvas, int n, Rectangle dots, int rgb) {
        int k = n / 32;
        for (int v = dots.y * k; v < Math.min(n, (dots.y + dots.height) * k); v++) {
            for (int u = dots.x * k; u < Math.min(n, (dots.x + dots.width) * k); u++) {
                for (int c = 0; c < 3; c++) {
                    canvas[(v * n + u) * 3 + c] = rgb >> (16 - 8 * c) & 255;
                }
            }
        }
    }
}
