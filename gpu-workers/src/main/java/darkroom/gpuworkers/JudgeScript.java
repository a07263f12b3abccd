package darkroom.gpuworkers;

import java.util.List;

/**
 * The embedded judge as TorchScript text, after the text of {@link DitScript}: the DiT trunk looks at the edited picture
 * (as the noisy one, at t = 0.05), the source, the reference and the instruction; one more token gathers the answer.
 *
 * <p>{@code judge(source, edited, reference, tokens, flat, half)} returns logits [B, 6] over the labels 0 to 5, and per
 * patch what is missing: an estimate of target - edited [B, patches, values], the auxiliary head.
 *
 * <p>{@code judge_gradient} trains it on four things at once: the likelihood of the labels next to the truth, what is
 * missing, the expectation over the labels, and the order of the edits of one row.
 */
final class JudgeScript {
    /** Labels "0" to "5". */
    static final int LABELS = 6;

    /** Edits of one row that stand next to each other in a training batch, to be put in order. */
    static final int CANDIDATES = 4;

    /** Ground truths nearer than this are not to be told apart. */
    static final double TIE = 0.02;

    private static final int EVIDENCE = 3;
    private static final double SHARPNESS = 20;
    private static final double AUXILIARY_WEIGHT = 5;
    private static final double EXPECTATION_WEIGHT = 10;

    private JudgeScript() {}

    /** The trunk's parameters, then the judge's own. */
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
        return TEXT.replace("${HALF}", half ? "True" : "False")
                .replace("${TRUNK}", String.valueOf(trunk))
                .replace("${OWN}", own.toString())
                .replace("${REST}", String.valueOf(all.size() - trunk))
                .replace("${DIM}", String.valueOf(shape.dim()))
                .replace("${VALUES}", String.valueOf(shape.patchValues()))
                .replace("${PATCHES}", String.valueOf(shape.patches()))
                .replace("${TOKENS}", String.valueOf(shape.tokens()))
                .replace("${LABELS}", String.valueOf(LABELS))
                .replace("${CANDIDATES}", String.valueOf(CANDIDATES))
                .replace("${TIE}", String.valueOf(TIE))
                .replace("${SHARPNESS}", String.valueOf(SHARPNESS))
                .replace("${AUXILIARY}", String.valueOf(AUXILIARY_WEIGHT))
                .replace("${EXPECTATION}", String.valueOf(EXPECTATION_WEIGHT))
                .replace("${GATHERED}", String.valueOf(2 * shape.dim() + EVIDENCE));
    }

    private static final String TEXT = """
          def judge(self: __torch__.Module, source: Tensor, edited: Tensor, reference: Tensor, tokens: Tensor, flat: Tensor, half: bool) -> Tuple[Tensor, Tensor]:
            parts = torch.split_with_sizes(flat, [${TRUNK}, ${REST}], 0)
            p = (self).parameters(parts[0], half)
            if half:
              rest = torch.to(parts[1], 15)
            else:
              rest = parts[1]
            q = torch.split_with_sizes(rest, ${OWN}, 0)
            b = torch.size(source, 0)
            src = (self).patches(source)
            ed = (self).patches(edited)
            change = torch.sub(ed, src)
            text = (self).text(tokens, p)
            h = torch.to((self).linear(torch.cat([ed, src, (self).patches(reference)], 2), p, 3, 3 * ${VALUES}), 6)
            h = torch.add(h, torch.to((self).linear(torch.mul(change, 2), q, 0, ${VALUES}), 6))
            h = torch.add(torch.cat([h, text], 1), torch.view(p[5], [${PATCHES} + ${TOKENS}, ${DIM}]))
            answer = torch.expand(torch.view(torch.to(q[2], 6), [1, 1, ${DIM}]), [b, 1, ${DIM}])
            h = torch.cat([h, answer], 1)
            t = torch.mul(torch.ones([b], dtype=6), 0.05)
            h = torch.layer_norm((self).trunk(h, (self).condition(t, text, p), p), [${DIM}])
            drawn = torch.slice(h, 1, 0, ${PATCHES})
            missing = torch.to((self).linear(drawn, q, 3, ${DIM}), 6)
            wrong = torch.mean(torch.mul(missing, missing), [2])
            moved = torch.mean(torch.mul(change, change), [2])
            e1 = torch.log(torch.add(torch.mean(wrong, [1]), 0.0001))
            e2 = torch.log(torch.add(torch.amax(wrong, [1]), 0.0001))
            e3 = torch.log(torch.add(torch.mean(torch.mul(wrong, moved), [1]), 1e-05))
            evidence = torch.stack([e1, e2, e3], 1)
            gathered = torch.cat([torch.select(h, 1, -1), torch.mean(drawn, [1]), evidence], 1)
            f = torch.gelu((self).linear(gathered, q, 5, ${GATHERED}), approximate="tanh")
            return (torch.to((self).linear(f, q, 7, ${DIM}), 6), missing)
          def judge_logits(self: __torch__.Module, source: Tensor, edited: Tensor, reference: Tensor, tokens: Tensor, flat: Tensor) -> Tensor:
            logits, missing = (self).judge(source, edited, reference, tokens, flat, ${HALF})
            return logits
          def judge_gradient(self: __torch__.Module, source: Tensor, edited: Tensor, reference: Tensor, tokens: Tensor, target: Tensor, truth: Tensor, labels: Tensor, theta: Tensor) -> Tuple[Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(theta), True)
            logits, missing = (self).judge(source, edited, reference, tokens, leaf, ${HALF})
            likelihood = torch.cross_entropy_loss(logits, labels)
            steps = torch.div(torch.arange(${LABELS}, dtype=6), ${LABELS} - 1)
            score = torch.matmul(torch.softmax(logits, 1), steps)
            want = (self).patches(torch.sub(target, edited))
            s = torch.view(score, [-1, ${CANDIDATES}])
            t = torch.view(truth, [-1, ${CANDIDATES}])
            apart = torch.sub(torch.unsqueeze(t, 2), torch.unsqueeze(t, 1))
            scored = torch.sub(torch.unsqueeze(s, 2), torch.unsqueeze(s, 1))
            counts = torch.to(torch.gt(torch.abs(apart), ${TIE}), 6)
            order = torch.softplus(torch.mul(torch.mul(scored, torch.sign(apart)), -${SHARPNESS}))
            ranking = torch.div(torch.sum(torch.mul(order, counts)), torch.clamp_min(torch.sum(counts), 1))
            total = torch.add(likelihood, torch.mul(torch.mse_loss(missing, want), ${AUXILIARY}))
            total = torch.add(total, torch.mul(torch.mse_loss(score, truth), ${EXPECTATION}))
            total = torch.add(total, ranking)
            return ((self).derivative(total, leaf), torch.stack([torch.detach(likelihood), torch.detach(ranking)]))
        """;
}
