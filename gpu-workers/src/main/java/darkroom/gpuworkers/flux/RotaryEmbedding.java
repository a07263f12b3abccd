package darkroom.gpuworkers.flux;

import java.util.List;

/**
 * Rotary position embedding of FLUX: the tables by which attention rotates neighbouring pairs of each head.
 *
 * <p>Every text token has position (0, 0, 0); a token of picture k has (k, y, x), where the noisy picture is 0 and references
 * follow, each with y and x from 0. Angles are position times 10000^(-2i / axis), in float64; the tables are float32 (diffusers:
 * FluxPosEmbed and FluxKontextPipeline._prepare_latent_image_ids).
 *
 * @param cos [tokens, head], row-major
 * @param sin [tokens, head], row-major
 * @param tokens text tokens, noisy tokens and reference tokens, in this order
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of tables, never compared
public record RotaryEmbedding(float[] cos, float[] sin, int tokens) {
    private static final double THETA = 10_000;

    /**
     * Tokens of one picture.
     *
     * @param height rows of tokens: half the height of the latent
     * @param width columns of tokens: half the width of the latent
     */
    public record Grid(int height, int width) {
        /** Returns the number of tokens. */
        public int tokens() {
            return height * width;
        }
    }

    /**
     * Computes the tables.
     *
     * @param text number of text tokens
     * @param pictures the noisy picture, then the references
     * @param axes how the head is divided among the three axes
     */
    public static RotaryEmbedding of(int text, List<Grid> pictures, List<Integer> axes) {
        int tokens = text + pictures.stream().mapToInt(Grid::tokens).sum();
        int head = axes.stream().mapToInt(Integer::intValue).sum();
        float[] cos = new float[tokens * head];
        float[] sin = new float[tokens * head];
        int token = 0;
        for (; token < text; token++) {
            row(cos, sin, token * head, axes, 0, 0, 0);
        }
        for (int k = 0; k < pictures.size(); k++) {
            for (int y = 0; y < pictures.get(k).height(); y++) {
                for (int x = 0; x < pictures.get(k).width(); x++) {
                    row(cos, sin, token * head, axes, k, y, x);
                    token++;
                }
            }
        }
        return new RotaryEmbedding(cos, sin, tokens);
    }

    private static void row(float[] cos, float[] sin, int from, List<Integer> axes, int... position) {
        int at = from;
        for (int axis = 0; axis < axes.size(); axis++) {
            int dim = axes.get(axis);
            for (int i = 0; i < dim; i += 2) {
                double angle = position[axis] / StrictMath.pow(THETA, (double) i / dim);
                cos[at] = cos[at + 1] = (float) StrictMath.cos(angle);
                sin[at] = sin[at + 1] = (float) StrictMath.sin(angle);
                at += 2;
            }
        }
    }
}
