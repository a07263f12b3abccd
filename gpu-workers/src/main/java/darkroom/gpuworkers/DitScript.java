package darkroom.gpuworkers;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.torchscript.TorchScriptSource;
import java.util.List;

/**
 * The embedded DiT as TorchScript text.
 *
 * <p>Shapes: images [B, 3, S, S] in [-1, 1]; the noisy image, the source and the reference are stacked into one patch
 * (channel concatenation: half the tokens of sequence concatenation, and better edits). t [B] in [0, 1]; tokens
 * [B, tokens] int64; all parameters in one flat float32 vector. {@code half} runs the linears in bfloat16; attention,
 * norms and the residual stream stay float32.
 */
final class DitScript {
    /** Ratio of the fastest to the slowest angle of the time embedding. */
    private static final double PERIOD_MAX = 10_000;

    private DitScript() {}

    static String of(DitShape shape) {
        return of(shape, DitShape.TIME_DIM);
    }

    /** @param timeDim size of the time embedding: cosines and sines of half as many angles, even */
    static String of(DitShape shape, int timeDim) {
        int angles = timeDim / 2;
        FlatLayout layout = shape.layout();
        int first = layout.index("blocks.0.modulation.weight");
        return TorchScriptSource.of("dit")
                .with(
                        "SIZES",
                        list(layout.entries().values().stream()
                                .map(FlatLayout.Entry::size)
                                .toList()))
                .with("WORDS", index(layout, "words"))
                .with("TEXT", index(layout, "text.weight"))
                .with("PATCH_EMBEDDING", index(layout, "patch.weight"))
                .with("POSITION", index(layout, "position"))
                .with("TIME1", index(layout, "time1.weight"))
                .with("TIME2", index(layout, "time2.weight"))
                .with("FIRST_BLOCK", String.valueOf(first))
                .with("BLOCK_PARAMETERS", String.valueOf((layout.index("modulation.weight") - first) / shape.layers()))
                .with("QKV", String.valueOf(layout.index("blocks.0.qkv.weight") - first))
                .with("OUT", String.valueOf(layout.index("blocks.0.out.weight") - first))
                .with("UP", String.valueOf(layout.index("blocks.0.up.weight") - first))
                .with("DOWN", String.valueOf(layout.index("blocks.0.down.weight") - first))
                .with(
                        "FINAL_PATCH",
                        String.valueOf(layout.index("velocity.weight") - layout.index("modulation.weight")))
                .with("BLOCKS", String.valueOf(shape.layers()))
                .with("DIM", String.valueOf(shape.dim()))
                .with("HEADS", String.valueOf(shape.heads()))
                .with("HEAD", String.valueOf(shape.dim() / shape.heads()))
                .with("PATCHES", String.valueOf(shape.patches()))
                .with("TOKENS", String.valueOf(shape.tokens()))
                .with("GRID", String.valueOf(shape.resolution() / shape.patch()))
                .with("PATCH", String.valueOf(shape.patch()))
                .with("VALUES", String.valueOf(shape.patchValues()))
                .with("SIDE", String.valueOf(shape.resolution()))
                .with("WORD", String.valueOf(DitShape.WORD_DIM))
                .with("TIME", String.valueOf(timeDim))
                .with("ANGLES", String.valueOf(angles))
                .with("DECAY", String.valueOf(-StrictMath.log(PERIOD_MAX) / angles))
                .text();
    }

    private static String index(FlatLayout layout, String parameter) {
        return String.valueOf(layout.index(parameter));
    }

    private static String list(List<Integer> values) {
        return values.toString();
    }
}
