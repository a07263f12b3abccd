package darkroom.gpuworkers;

import darkroom.gpuworkers.checkpoints.FlatLayout;

/**
 * Size of the embedded DiT velocity predictor.
 *
 * @param resolution side of the square images, pixels
 * @param patch side of a patch, pixels
 * @param dim width of the residual stream
 * @param layers transformer blocks
 * @param heads attention heads
 * @param tokens instruction tokens
 * @param vocabulary size of the instruction vocabulary
 */
public record DitShape(int resolution, int patch, int dim, int layers, int heads, int tokens, int vocabulary) {
    static final int WORD_DIM = 64;
    static final int TIME_DIM = 128;

    public DitShape {
        if (resolution % patch != 0 || dim % heads != 0 || dim % 4 != 0) {
            throw new IllegalArgumentException(
                    "resolution=%d must be a multiple of patch=%d, and dim=%d of heads=%d and of 4"
                            .formatted(resolution, patch, dim, heads));
        }
    }

    /** Returns the shape of the shipped models: 1.3 M parameters at 32x32. */
    public static DitShape embedded(int resolution, int tokens, int vocabulary) {
        return new DitShape(resolution, 4, 128, 4, 4, tokens, vocabulary);
    }

    int patches() {
        return (resolution / patch) * (resolution / patch);
    }

    /** Returns the number of values of one RGB patch. */
    int patchValues() {
        return 3 * patch * patch;
    }

    /** Returns the number of values of one image. */
    public int imageValues() {
        return 3 * resolution * resolution;
    }

    /** Returns names, shapes and offsets of all parameters in their one flat vector. */
    public FlatLayout layout() {
        FlatLayout.Builder flat = new FlatLayout.Builder();
        flat.add("words", vocabulary, WORD_DIM);
        flat.linear("text", WORD_DIM, dim);
        flat.linear("patch", 3 * patchValues(), dim);
        flat.add("position", patches() + tokens, dim);
        flat.linear("time1", TIME_DIM, dim);
        flat.linear("time2", dim, dim);
        for (int i = 0; i < layers; i++) {
            String block = "blocks." + i + ".";
            flat.linear(block + "modulation", dim, 6 * dim);
            flat.linear(block + "qkv", dim, 3 * dim);
            flat.linear(block + "out", dim, dim);
            flat.linear(block + "up", dim, 4 * dim);
            flat.linear(block + "down", 4 * dim, dim);
        }
        flat.linear("modulation", dim, 2 * dim);
        flat.linear("velocity", dim, patchValues());
        return flat.build();
    }
}
