package darkroom.gpuworkers;

import darkroom.actors.numeric.RandomKey;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import java.util.Arrays;

/**
 * Initial weights of pre-training, keyed by a seed: uniform in +-1/sqrt(in) for linear layers, standard normal for
 * words, sine and cosine of row and column for the positions of patches, and zero for every modulation and for the output,
 * so that each block starts as the identity (adaLN-zero, Peebles and Xie 2023).
 */
public final class InitialWeights {
    private static final float POSITION_SCALE = 0.5f;
    private static final float TOKEN_POSITION_SCALE = 0.1f;

    private InitialWeights() {}

    /** Returns the flat vector of a new model. */
    static float[] of(DitShape shape, long seed) {
        FlatLayout layout = shape.layout();
        float[] flat = new float[layout.size()];
        RandomKey key = RandomKey.of(seed, RandomKey.Purpose.INITIAL_WEIGHTS);
        int ordinal = 0;
        for (var named : layout.entries().entrySet()) {
            fill(flat, shape, named.getKey(), named.getValue(), layout, key.atOrdinal(ordinal++));
        }
        return flat;
    }

    /** Returns new adapters: A normal with standard deviation 1 / rank, B zero, so that the model is the base. */
    public static float[] adapters(FlatLayout layout, int rank, long seed) {
        float[] flat = new float[layout.size()];
        RandomKey key = RandomKey.of(seed, RandomKey.Purpose.INITIAL_WEIGHTS);
        int ordinal = 0;
        for (var named : layout.entries().entrySet()) {
            if (named.getKey().endsWith(".lora_A.weight")) {
                FlatLayout.Entry entry = named.getValue();
                normals(flat, entry.offset(), entry.size(), 1f / rank, key.atOrdinal(ordinal));
            }
            ordinal++;
        }
        return flat;
    }

    private static void fill(
            float[] flat, DitShape shape, String name, FlatLayout.Entry entry, FlatLayout layout, RandomKey key) {
        if (name.contains("modulation.") || name.startsWith("velocity.")) {
            return;
        }
        if (name.equals("words")) {
            normals(flat, entry.offset(), entry.size(), 1, key);
        } else if (name.equals("position")) {
            int patchValues = shape.patches() * shape.dim();
            positions(flat, entry.offset(), shape);
            normals(flat, entry.offset() + patchValues, entry.size() - patchValues, TOKEN_POSITION_SCALE, key);
        } else {
            String weight = name.substring(0, name.lastIndexOf('.')) + ".weight";
            uniform(flat, entry, 1 / Math.sqrt(layout.entry(weight).shape().get(1)), key);
        }
    }

    /** Fills an entry uniformly in +-{@code bound}. */
    static void uniform(float[] flat, FlatLayout.Entry entry, double bound, RandomKey key) {
        double[] uniforms = key.uniforms(entry.size());
        for (int i = 0; i < uniforms.length; i++) {
            flat[entry.offset() + i] = (float) (bound * (2 * uniforms[i] - 1));
        }
    }

    /** Fills a range with independent normals with standard deviation {@code scale}. */
    static void normals(float[] flat, int offset, int count, float scale, RandomKey key) {
        float[] normals = new float[count];
        key.normals(normals);
        for (int i = 0; i < count; i++) {
            flat[offset + i] = scale * normals[i];
        }
    }

    private static void positions(float[] flat, int offset, DitShape shape) {
        int side = shape.resolution() / shape.patch();
        int quarter = shape.dim() / 4;
        for (int patch = 0; patch < shape.patches(); patch++) {
            int at = offset + patch * shape.dim();
            Arrays.fill(flat, at, at + shape.dim(), 0);
            int y = patch / side;
            int x = patch % side;
            for (int i = 0; i < quarter; i++) {
                double frequency = 1.5 * StrictMath.pow(64, -(double) i / quarter);
                double row = frequency * y;
                double column = frequency * x;
                flat[at + i] = POSITION_SCALE * (float) StrictMath.sin(row);
                flat[at + quarter + i] = POSITION_SCALE * (float) StrictMath.cos(row);
                flat[at + 2 * quarter + i] = POSITION_SCALE * (float) StrictMath.sin(column);
                flat[at + 3 * quarter + i] = POSITION_SCALE * (float) StrictMath.cos(column);
            }
        }
    }
}
