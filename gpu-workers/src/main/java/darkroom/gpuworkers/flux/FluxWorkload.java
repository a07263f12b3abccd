package darkroom.gpuworkers.flux;

/**
 * The work that a device does at once, for its {@link FluxMemory}.
 *
 * @param batch samples
 * @param resolution side of the square pictures in pixels
 * @param references reference pictures of each sample, of the same size
 * @param textTokens tokens of the T5 encoder
 * @param rank of the adapters
 * @param segment blocks that a backward pass computes again together
 * @param attentionOnly whether only the attention projections are adapted
 */
public record FluxWorkload(
        int batch, int resolution, int references, int textTokens, int rank, int segment, boolean attentionOnly) {
    public FluxWorkload {
        atLeast("batch", batch, 1);
        atLeast("references", references, 0);
        atLeast("textTokens", textTokens, 1);
        atLeast("rank", rank, 1);
        atLeast("segment", segment, 1);
        if (resolution < 16 || resolution % 16 != 0) {
            throw new IllegalArgumentException("resolution=%d, expected a multiple of 16".formatted(resolution));
        }
    }

    private static void atLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException("%s=%d, expected at least %d".formatted(name, value, least));
        }
    }
}
