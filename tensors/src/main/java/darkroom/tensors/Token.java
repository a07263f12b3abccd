package darkroom.tensors;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Unguessable words, for proving that two parties read the same memory and for names that no other process chooses. */
public final class Token {
    /** Bytes of a token; its text has twice as many characters. */
    static final int BYTES = 16;

    private static final SecureRandom RANDOM = new SecureRandom();

    private Token() {}

    /** Returns 32 hexadecimal digits, 128 random bits. */
    static String create() {
        return HexFormat.of().formatHex(random(BYTES));
    }

    /** Returns 12 hexadecimal digits, 48 random bits: part of a name that no other process chooses, in any namespace. */
    public static String suffix() {
        return HexFormat.of().formatHex(random(6));
    }

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }
}
