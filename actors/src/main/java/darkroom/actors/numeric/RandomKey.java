package darkroom.actors.numeric;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The name of a stream of random numbers. Every method is a pure function of the key: calling it again, elsewhere, in any
 * order, gives the same bits on every machine (promise P-1).
 *
 * <p>Different keys never share a number: the key is laid out in Philox's counter without overlap. Components that a
 * purpose does not use stay 0.
 *
 * @param seed run seed, or the seed of something else that must be reproducible
 * @param purpose use of the numbers
 * @param step training step, 0 to 2^31 - 1
 * @param group group within the step, 0 to 65,535
 * @param slot image within the group, 0 to 65,535
 * @param ordinal index of the draw for this image: a solver step, a pass, an attempt; 0 to 2^24 - 1
 */
public record RandomKey(long seed, Purpose purpose, int step, int group, int slot, int ordinal) {
    private static final int SHORT_RANGE = 1 << 16;
    private static final int ORDINAL_RANGE = 1 << 24;
    private static final double TWO_TO_MINUS_32 = 0x1p-32;
    private static final double HALF_PI = Math.PI / 2;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** @throws IllegalArgumentException if a component is outside its range */
    public RandomKey {
        requireRange("step", step, Integer.MAX_VALUE);
        requireRange("group", group, SHORT_RANGE);
        requireRange("slot", slot, SHORT_RANGE);
        requireRange("ordinal", ordinal, ORDINAL_RANGE);
    }

    /** Use of random numbers. The codes are part of what a seed means: a new purpose gets a new code. */
    public enum Purpose {
        /** Initial noise of a rollout, by step, group, slot. */
        INITIAL_NOISE(1),
        /** Noise added to an image for training, by step, group, slot, timestep ordinal. */
        TRAINING_NOISE(2),
        /** Choice of the noise levels an image is trained at, by step, group, slot. */
        TIMESTEPS(3),
        /** Noise of a stochastic solver, by step, group, slot, solver step. */
        SDE_NOISE(4),
        /** Choice of the rows of a step, by step. */
        PROMPTS(5),
        /** Order of training samples within a step, by step. */
        TRAINING_SAMPLE_ORDER(6),
        /** Seeds passed to scorers that sample, by step, group, slot, attempt. */
        SCORE_SAMPLING(7),
        /** Rendering of tasks, by row. */
        TASKS(8),
        /** Initial weights of a network, by tensor. */
        INITIAL_WEIGHTS(9),
        /** Order and noise of pre-training batches, by step. */
        PRETRAINING(10),
        /** Noise of evaluation rollouts, by task and image. */
        EVALUATION_NOISE(11),
        /** Resampling of the bootstrap. */
        BOOTSTRAP(12);

        private final int code;

        Purpose(int code) {
            this.code = code;
        }
    }

    /** Returns the key with all other components 0. */
    public static RandomKey of(long seed, Purpose purpose) {
        return new RandomKey(seed, purpose, 0, 0, 0, 0);
    }

    /** Returns the key of an image. */
    public static RandomKey of(long seed, Purpose purpose, int step, int group, int slot) {
        return new RandomKey(seed, purpose, step, group, slot, 0);
    }

    /** Returns this key at another step. */
    public RandomKey atStep(int other) {
        return new RandomKey(seed, purpose, other, group, slot, ordinal);
    }

    /** Returns this key with another ordinal. */
    public RandomKey atOrdinal(int other) {
        return new RandomKey(seed, purpose, step, group, slot, other);
    }

    /**
     * Fills the array with independent standard normals. A shorter array gets a prefix of a longer one's numbers.
     *
     * <p>Box-Muller in double precision from 32-bit uniforms, with {@link StrictMath}, so the bits are the same
     * everywhere; no value is larger than 6.8.
     */
    public void normals(float[] into) {
        normals(into.length, (index, value) -> into[index] = value);
    }

    /**
     * Fills a FLOAT32 tensor with independent standard normals, little endian: the same numbers as {@link
     * #normals(float[])}.
     *
     * @param into a whole number of floats
     */
    public void normals(MemorySegment into) {
        long floats = into.byteSize() / Float.BYTES;
        if (floats * Float.BYTES != into.byteSize() || floats > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "bytes=" + into.byteSize() + " is not 4 times a count of at most 2^31 - 1 floats");
        }
        normals((int) floats, (index, value) -> into.set(FLOAT, (long) index * Float.BYTES, value));
    }

    /** Returns independent numbers, uniform in (0, 1). */
    public double[] uniforms(int count) {
        double[] uniforms = new double[count];
        for (int i = 0; i < count; i++) {
            Philox.Block block = block(i >>> 2);
            uniforms[i] = open(block.word(i & 3));
        }
        return uniforms;
    }

    /** Returns independent whole numbers, uniform in 0 to {@code bound - 1}, without bias. */
    public int[] uniformInts(int count, int bound) {
        Words words = new Words(this);
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = words.below(bound);
        }
        return numbers;
    }

    /** Returns one whole number, uniform in 0 to {@code bound - 1}. */
    public int uniformInt(int bound) {
        return new Words(this).below(bound);
    }

    /** Returns a permutation of 0 to {@code size - 1}, all equally likely (Fisher and Yates). */
    public int[] permutation(int size) {
        int[] order = new int[size];
        for (int i = 0; i < size; i++) {
            order[i] = i;
        }
        Words words = new Words(this);
        for (int last = size - 1; last > 0; last--) {
            int other = words.below(last + 1);
            int kept = order[last];
            order[last] = order[other];
            order[other] = kept;
        }
        return order;
    }

    /** Returns 64 bits, for libraries that need a seed. */
    public long seed64() {
        return block(0).words10();
    }

    private Philox.Block block(int index) {
        return Philox.block(seed, index, ordinal << 8 | purpose.code, group << 16 | slot, step);
    }

    private void normals(int count, FloatSink sink) {
        for (int first = 0; first < count; first += 4) {
            Philox.Block block = block(first >>> 2);
            boxMuller(block.word(0), block.word(1), sink, first, count);
            if (first + 2 < count) {
                boxMuller(block.word(2), block.word(3), sink, first + 2, count);
            }
        }
    }

    /** Box-Muller; the angle's upper two bits choose the quadrant, so that sine and cosine need no argument reduction. */
    private static void boxMuller(int radiusWord, int angleWord, FloatSink sink, int index, int count) {
        double radius = Math.sqrt(-2 * StrictMath.log(open(radiusWord)));
        double angle = ((angleWord & 0x3FFF_FFFF) + 0.5 - 0x1p29) * (HALF_PI * 0x1p-30);
        double sine = radius * StrictMath.sin(angle);
        double cosine = radius * StrictMath.cos(angle);
        boolean turned = (angleWord & 0x4000_0000) != 0;
        boolean mirrored = angleWord < 0;
        double first = turned ? -sine : cosine;
        double second = turned ? cosine : sine;
        sink.set(index, (float) (mirrored ? -first : first));
        if (index + 1 < count) {
            sink.set(index + 1, (float) (mirrored ? -second : second));
        }
    }

    private static double open(int word) {
        return (Integer.toUnsignedLong(word) + 0.5) * TWO_TO_MINUS_32;
    }

    private static void requireRange(String name, int value, int end) {
        if (value < 0 || value >= end) {
            throw new IllegalArgumentException("%s=%d is not in 0 to %d".formatted(name, value, end - 1));
        }
    }

    private interface FloatSink {
        void set(int index, float value);
    }

    /** The words of one key in order. Used for one call. */
    private static final class Words {
        private final RandomKey key;
        private int next;

        Words(RandomKey key) {
            this.key = key;
        }

        int below(int bound) {
            if (bound < 1) {
                throw new IllegalArgumentException("bound=" + bound + " is less than 1");
            }
            long threshold = 0x1_0000_0000L % bound;
            long product;
            do {
                product = Integer.toUnsignedLong(word()) * bound;
            } while ((product & 0xFFFF_FFFFL) < threshold);
            return (int) (product >>> 32);
        }

        private int word() {
            int word = key.block(next >>> 2).word(next & 3);
            next++;
            return word;
        }
    }
}
