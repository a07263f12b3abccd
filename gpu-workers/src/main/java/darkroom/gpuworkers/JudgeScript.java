package darkroom.gpuworkers;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.torchscript.TorchScriptSource;
import java.util.List;

/**
 * The embedded judge as TorchScript text, after the text of {@link DitScript}: the DiT trunk reads the edited picture (as the
 * noisy one, at t = 0.05), the source, the reference and the instruction; one more token gathers the answer.
 *
 * <p>{@code judge(source, edited, reference, tokens, flat, half)} returns logits [B, 6] over the labels 0 to 5, and per patch
 * the remaining difference: an estimate of target - edited [B, patches, values], the auxiliary head.
 *
 * <p>{@code judge_gradient} trains it on four losses at once: the likelihood of the labels next to the truth, the remaining
 * difference, the expectation over the labels, and the order of the edits of one row.
 */
final class JudgeScript {
    /** Labels "0" to "5". */
    static final int LABELS = 6;

    /** Number of adjacent edits of one row in a training batch, which are ranked against each other. */
    static final int CANDIDATES = 4;

    /** Ground truths closer than this count as equal. */
    static final double TIE = 0.02;

    private static final int EVIDENCE = 3;
    private static final double SHARPNESS = 20;
    private static final double AUXILIARY_WEIGHT = 5;
    private static final double EXPECTATION_WEIGHT = 10;

    private JudgeScript() {}

    /** Returns the trunk's parameters, followed by the judge's own. */
    static FlatLayout layout(DitShape shape) {
        FlatLayout.Builder flat = new FlatLayout.Builder();
        shape.layout()
                .entries()
                .forEach((name, entry) -> flat.add(name, entry.shape().toArray(Integer[]::new)));
        return flat.linear("difference", shape.patchValues(), shape.dim())
                .add("answer", shape.dim())
                .linear("missing", shape.dim(), shape.patchValues())
                .linear("head1", 2 * shape.dim() + EVIDENCE, shape.dim())
                .linear("head2", shape.dim(), LABELS)
                .build();
    }

    /** @param half whether linear layers run in bfloat16 */
    static String of(DitShape shape, boolean half) {
        FlatLayout all = layout(shape);
        int trunk = shape.layout().size();
        List<Integer> own = all.entries().values().stream()
                .filter(entry -> entry.offset() >= trunk)
                .map(FlatLayout.Entry::size)
                .toList();
        return TorchScriptSource.of("judge")
                .with("HALF", half ? "True" : "False")
                .with("TRUNK", String.valueOf(trunk))
                .with("OWN", own.toString())
                .with("REST", String.valueOf(all.size() - trunk))
                .with("PATCH_EMBEDDING", String.valueOf(all.index("patch.weight")))
                .with("POSITION", String.valueOf(all.index("position")))
                .with("DIFFERENCE", own(all, shape, "difference.weight"))
                .with("ANSWER", own(all, shape, "answer"))
                .with("MISSING", own(all, shape, "missing.weight"))
                .with("HEAD1", own(all, shape, "head1.weight"))
                .with("HEAD2", own(all, shape, "head2.weight"))
                .with("DIM", String.valueOf(shape.dim()))
                .with("VALUES", String.valueOf(shape.patchValues()))
                .with("PATCHES", String.valueOf(shape.patches()))
                .with("TOKENS", String.valueOf(shape.tokens()))
                .with("LABELS", String.valueOf(LABELS))
                .with("CANDIDATES", String.valueOf(CANDIDATES))
                .with("TIE", String.valueOf(TIE))
                .with("SHARPNESS", String.valueOf(SHARPNESS))
                .with("AUXILIARY", String.valueOf(AUXILIARY_WEIGHT))
                .with("EXPECTATION", String.valueOf(EXPECTATION_WEIGHT))
                .with("GATHERED", String.valueOf(2 * shape.dim() + EVIDENCE))
                .text();
    }

    /** Returns the position of a parameter among the judge's own, which follow those of the trunk. */
    private static String own(FlatLayout all, DitShape shape, String parameter) {
        return String.valueOf(all.index(parameter) - shape.layout().entries().size());
    }
}
