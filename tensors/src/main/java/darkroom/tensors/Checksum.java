package darkroom.tensors;

/** Combines the CRC-32C values of two adjacent pieces of data. */
final class Checksum {
    private static final int POLYNOMIAL = 0x82f63b78;

    private Checksum() {}

    /**
     * Returns the CRC-32C of two pieces in sequence. Appends as many zeros to the first as the second is long: a linear map
     * over GF(2), squared for each bit of the length, as zlib does for CRC-32.
     *
     * @param second CRC-32C of the second piece
     * @param length bytes of the second piece
     */
    static long joined(long first, long second, long length) {
        int[] map = new int[32];
        map[0] = POLYNOMIAL;
        for (int bit = 1; bit < 32; bit++) {
            map[bit] = 1 << (bit - 1);
        }
        int[] zeros = squared(squared(squared(map))); // one bit, two, four: a byte is eight
        int sum = (int) first;
        for (long rest = length; rest != 0; rest >>>= 1) {
            if ((rest & 1) != 0) {
                sum = applied(zeros, sum);
            }
            zeros = squared(zeros);
        }
        return Integer.toUnsignedLong(sum ^ (int) second);
    }

    private static int applied(int[] map, int vector) {
        int sum = 0;
        int rest = vector;
        for (int bit = 0; rest != 0; bit++, rest >>>= 1) {
            if ((rest & 1) != 0) {
                sum ^= map[bit];
            }
        }
        return sum;
    }

    private static int[] squared(int[] map) {
        int[] twice = new int[32];
        for (int bit = 0; bit < 32; bit++) {
            twice[bit] = applied(map, map[bit]);
        }
        return twice;
    }
}
