package darkroom.gpuworkers;

import darkroom.gpuworkers.torchscript.TorchScriptSource;

/**
 * Sampling with the model of {@link DitScript}, which must precede this text, as TorchScript text.
 *
 * <p>{@code solver_step(x, source, reference, tokens, flat, other, c)}: c holds sigma and three coefficients as {@link
 * SolverStep} defines them; returns x' = c1 x + c2 v + c3 other and the prediction m = x - sigma v. For a {@link SdeStep}
 * {@code other} is the standard normal noise.
 */
final class SolverScript {
    private SolverScript() {}

    /** @param half whether linears run in bfloat16; {@code flat} may then come from {@code prepared}, once per version */
    static String of(boolean half) {
        return advance()
                + TorchScriptSource.of("dit_solver")
                        .with("HALF", half ? "True" : "False")
                        .text();
    }

    /** Returns {@code advance(x, v, other, c)}: a step from a velocity that any model computed. */
    static String advance() {
        return TorchScriptSource.of("solver").text();
    }
}
