package darkroom.gpuworkers;

/**
 * Sampling with the model of {@link DitScript}, which must precede this text, as TorchScript text.
 *
 * <p>{@code solver_step(x, source, reference, tokens, flat, other, c)}: c holds sigma and three coefficients as {@link
 * SolverStep} defines them; returns x' = c1 x + c2 v + c3 other and the prediction m = x - sigma v. For a {@link SdeStep}
 * {@code other} is the standard normal noise.
 */
final class SolverScript {
    private SolverScript() {}

    /** @param half whether linears run in bfloat16; {@code flat} may then come from {@code prepared}, once a version */
    static String of(boolean half) {
        return TEXT.replace("${HALF}", half ? "True" : "False");
    }

    private static final String TEXT = """
          def prepared(self: __torch__.Module, flat: Tensor) -> Tensor:
            if ${HALF}:
              f = torch.to(flat, 15)
            else:
              f = torch.clone(flat)
            return f
          def solver_step(self: __torch__.Module, x: Tensor, source: Tensor, reference: Tensor, tokens: Tensor, flat: Tensor, other: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
            sigma = torch.select(c, 0, 0)
            t = torch.mul(torch.ones([torch.size(x, 0)], dtype=ops.prim.dtype(x)), sigma)
            v = (self).velocity(x, source, reference, t, tokens, flat, ${HALF})
            m = torch.sub(x, torch.mul(v, sigma))
            moved = torch.addcmul(torch.mul(x, torch.select(c, 0, 1)), v, torch.select(c, 0, 2))
            return (torch.addcmul(moved, other, torch.select(c, 0, 3)), m)
        """;
}
