package darkroom.actors.numeric;

/**
 * The counter-based generator Philox 4x32-10: a bijection of 128-bit counters, one for each 64-bit key. It has no state, so
 * a number depends on its name alone and never on earlier draws (promise P-1).
 *
 * <p>Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011; checked against the known answers
 * of its Random123 library.
 */
final class Philox {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final long LOW = 0xFFFF_FFFFL;

    private Philox() {}

    /** The lower two words of a block, in {@code high:low} order, and the upper two: words 1:0 and 3:2. */
    record Block(long words10, long words32) {
        int word(int index) {
            long pair = index < 2 ? words10 : words32;
            return (int) (pair >>> ((index & 1) << 5));
        }
    }

    /**
     * Returns the block of a counter.
     *
     * @param key the lower word is key word 0
     */
    static Block block(long key, int counter0, int counter1, int counter2, int counter3) {
        int key0 = (int) key;
        int key1 = (int) (key >>> 32);
        long word0 = counter0 & LOW;
        long word1 = counter1 & LOW;
        long word2 = counter2 & LOW;
        long word3 = counter3 & LOW;
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * word0;
            long product1 = MULTIPLIER_1 * word2;
            word0 = (product1 >>> 32) ^ word1 ^ (key0 & LOW);
            word1 = product1 & LOW;
            word2 = (product0 >>> 32) ^ word3 ^ (key1 & LOW);
            word3 = product0 & LOW;
            key0 += WEYL_0;
            key1 += WEYL_1;
        }
        return new Block(word1 << 32 | word0, word3 << 32 | word2);
    }
}
