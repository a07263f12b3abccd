package darkroom.gpuworkers;

import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings;

/**
 * Losses, gradients and the optimizer step as TorchScript text. The constants of the settings are written into the
 * text; what changes from step to step is an input.
 *
 * <p>Losses take tensors of any floating type and any shape [B, ...], so that the golden vectors run through the very
 * code that trains (in float64 to 1e-9, in float32 to 1e-6).
 */
final class ObjectiveScript {
    private ObjectiveScript() {}

    /**
     * Loss functions and the optimizer step, without a model.
     *
     * <p>{@code nft_loss(x0, noise, t, v, old, reference, optimality, weight)} is DiffusionNFT (paper equations 4 to 6;
     * weighting {@code adaptive} as the public code, whose loss carries the factor clip / beta): returns the weighted sum of policy and KL losses to
     * differentiate, and both apart. Weights are 1/N for valid samples and 0 for padding.
     *
     * <p>{@code grpo_loss(x, next, a, b, deviation, factor, v, old, reference, advantage, weight)} is Flow-GRPO's clipped
     * ratio with the log-probability averaged over dimensions; the mean of the step is {@code a x + b v}. Its KL term is
     * {@code factor} ({@link SdeStep#klFactor}) times the squared distance of the velocities.
     */
    static String losses(TrainingSettings training) {
        return losses(training.weighting(), training.beta(), training.klWeight(), training.clipRange());
    }

    static String losses(TrainingSettings.Weighting weighting, double beta, double klWeight, double clipRange) {
        return LOSSES.replace("${ADAPTIVE}", truth(weighting == TrainingSettings.Weighting.ADAPTIVE))
                .replace("${BETA}", number(beta))
                .replace("${KL}", number(klWeight))
                .replace("${RANGE}", number(clipRange));
    }

    /** {@code adamw(lr, step, gradient, theta, m, v)}: clipping by global norm, then AdamW; returns theta, m, v, norm. */
    static String optimizer(OptimizerSettings optimizer) {
        return OPTIMIZER
                .replace("${BETA1}", number(optimizer.beta1()))
                .replace("${BETA2}", number(optimizer.beta2()))
                .replace("${EPSILON}", number(optimizer.epsilon()))
                .replace("${DECAY}", number(optimizer.weightDecay()))
                .replace("${CLIP}", number(optimizer.gradientClip()));
    }

    /**
     * Gradients through the model of {@link DitScript}, which must precede this text.
     *
     * @param half whether the old and the reference policy run in bfloat16; the trained one does by {@code training.bf16},
     *     and so does Flow-GRPO's old one, for the ratio of the two is near one
     */
    static String gradients(TrainingSettings training, boolean half) {
        return GRADIENTS
                .replace("${HALF}", truth(half))
                .replace("${TRAINED}", truth(training.bf16()))
                .replace("${USES_REFERENCE}", truth(training.klWeight() > 0));
    }

    /** Low-rank adapters; see {@link LoraLayout}. */
    static String weights(LoraLayout lora) {
        return lora.script();
    }

    private static String truth(boolean value) {
        return value ? "True" : "False";
    }

    static String number(double value) {
        String text = Double.toString(value);
        return text.contains("E") ? text.replace("E", "e") : text;
    }

    private static final String LOSSES = """
          def per_sample(self: __torch__.Module, x: Tensor) -> Tensor:
            return torch.mean(torch.flatten(x, 1), [1])
          def column(self: __torch__.Module, t: Tensor, like: Tensor) -> Tensor:
            n = torch.size(t, 0)
            if torch.dim(like) == 2:
              c = torch.view(t, [n, 1])
            else:
              c = torch.view(t, [n, 1, 1, 1])
            return c
          def nft_term(self: __torch__.Module, v: Tensor, x_t: Tensor, x0: Tensor, noise: Tensor, s: Tensor) -> Tensor:
            if ${ADAPTIVE}:
              d = torch.sub(torch.sub(x_t, torch.mul(s, v)), x0)
              w = torch.clamp((self).per_sample(torch.abs(torch.to(torch.detach(d), 7))), 1e-05, None)
              term = torch.div((self).per_sample(torch.mul(d, d)), torch.type_as(w, d))
            else:
              e = torch.sub(v, torch.sub(noise, x0))
              term = (self).per_sample(torch.mul(e, e))
            return term
          def nft_loss(self: __torch__.Module, x0: Tensor, noise: Tensor, t: Tensor, v: Tensor, old: Tensor, reference: Tensor, optimality: Tensor, clip: Tensor, weight: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            s = (self).column(t, x0)
            x_t = torch.add(torch.mul(torch.rsub(s, 1), x0), torch.mul(s, noise))
            plus = torch.add(torch.mul(v, ${BETA}), torch.mul(old, 1. - ${BETA}))
            minus = torch.sub(torch.mul(old, 1. + ${BETA}), torch.mul(v, ${BETA}))
            positive = (self).nft_term(plus, x_t, x0, noise, s)
            negative = (self).nft_term(minus, x_t, x0, noise, s)
            mixed = torch.add(torch.mul(optimality, positive), torch.mul(torch.rsub(optimality, 1), negative))
            if ${ADAPTIVE}:
              mixed = torch.mul(mixed, torch.div(clip, ${BETA}))
            policy = torch.sum(torch.mul(mixed, weight))
            d = torch.sub(v, reference)
            kl = torch.sum(torch.mul((self).per_sample(torch.mul(d, d)), weight))
            loss = torch.add(policy, torch.mul(kl, ${KL}))
            return (loss, torch.detach(policy), torch.detach(kl))
          def log_probability(self: __torch__.Module, next: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
            d = torch.sub(torch.detach(next), mean)
            s = (self).column(deviation, next)
            square = torch.neg(torch.div(torch.mul(d, d), torch.mul(torch.mul(s, s), 2)))
            return torch.sub(torch.sub((self).per_sample(square), torch.log(deviation)), 0.9189385332046727)
          def grpo_loss(self: __torch__.Module, x: Tensor, next: Tensor, a: Tensor, b: Tensor, deviation: Tensor, factor: Tensor, v: Tensor, old: Tensor, reference: Tensor, advantage: Tensor, weight: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            scaled = torch.mul((self).column(a, x), x)
            g = (self).column(b, x)
            mean = torch.add(scaled, torch.mul(g, v))
            p = (self).log_probability(next, mean, deviation)
            q = (self).log_probability(next, torch.add(scaled, torch.mul(g, old)), deviation)
            ratio = torch.exp(torch.sub(p, torch.detach(q)))
            raw = torch.neg(torch.mul(advantage, ratio))
            cut = torch.neg(torch.mul(advantage, torch.clamp(ratio, 1. - ${RANGE}, 1. + ${RANGE})))
            policy = torch.sum(torch.mul(torch.maximum(raw, cut), weight))
            d = torch.sub(v, reference)
            kl = torch.sum(torch.mul(torch.mul((self).per_sample(torch.mul(d, d)), factor), weight))
            loss = torch.add(policy, torch.mul(kl, ${KL}))
            return (loss, torch.detach(policy), torch.detach(kl))
          def derivative(self: __torch__.Module, loss: Tensor, leaf: Tensor) -> Tensor:
            outputs = [loss]
            inputs = [leaf]
            gradient = torch.grad(outputs, inputs, None, None, False, False)
            return unchecked_cast(Tensor, gradient[0])
          def nft_gradient_of_velocity(self: __torch__.Module, x0: Tensor, noise: Tensor, t: Tensor, v: Tensor, old: Tensor, reference: Tensor, optimality: Tensor, clip: Tensor, weight: Tensor) -> Tuple[Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(v), True)
            loss, policy, kl = (self).nft_loss(x0, noise, t, leaf, old, reference, optimality, clip, weight)
            return (torch.detach(loss), (self).derivative(loss, leaf))
          def grpo_gradient_of_velocity(self: __torch__.Module, x: Tensor, next: Tensor, a: Tensor, b: Tensor, deviation: Tensor, factor: Tensor, v: Tensor, old: Tensor, reference: Tensor, advantage: Tensor, weight: Tensor) -> Tuple[Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(v), True)
            loss, policy, kl = (self).grpo_loss(x, next, a, b, deviation, factor, leaf, old, reference, advantage, weight)
            return (torch.detach(loss), (self).derivative(loss, leaf))
        """;

    private static final String OPTIMIZER = """
          def adamw(self: __torch__.Module, lr: Tensor, step: Tensor, gradient: Tensor, theta: Tensor, m: Tensor, v: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
            norm = torch.norm(gradient)
            scale = torch.clamp(torch.reciprocal(torch.div(torch.add(norm, 1e-06), ${CLIP})), None, 1.)
            ws = [torch.clone(theta)]
            gs = [torch.mul(gradient, scale)]
            ms = [torch.clone(m)]
            vs = [torch.clone(v)]
            none = annotate(List[Tensor], [])
            steps = [torch.add(step, 1)]
            torch._fused_adamw_(ws, gs, ms, vs, none, steps, lr=float(lr), beta1=${BETA1}, beta2=${BETA2}, weight_decay=${DECAY}, eps=${EPSILON}, amsgrad=False, maximize=False)
            return (ws[0], ms[0], vs[0], norm)
          def follow(self: __torch__.Module, decay: Tensor, follower: Tensor, leader: Tensor) -> Tensor:
            return torch.add(torch.mul(follower, float(decay)), torch.mul(leader, 1. - float(decay)))
        """;

    private static final String GRADIENTS = """
          def flow_matching(self: __torch__.Module, target: Tensor, noise: Tensor, t: Tensor, source: Tensor, reference: Tensor, tokens: Tensor, theta: Tensor) -> Tuple[Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(theta), True)
            s = torch.view(t, [-1, 1, 1, 1])
            x_t = torch.add(torch.mul(torch.rsub(s, 1), target), torch.mul(s, noise))
            v = (self).velocity(x_t, source, reference, t, tokens, leaf, ${TRAINED})
            loss = torch.mse_loss(v, torch.sub(noise, target))
            return ((self).derivative(loss, leaf), torch.detach(loss))
          def nft_gradient(self: __torch__.Module, x0: Tensor, noise: Tensor, t: Tensor, source: Tensor, reference: Tensor, tokens: Tensor, optimality: Tensor, clip: Tensor, weight: Tensor, theta: Tensor, old: Tensor, base: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(theta), True)
            s = torch.view(t, [-1, 1, 1, 1])
            x_t = torch.add(torch.mul(torch.rsub(s, 1), x0), torch.mul(s, noise))
            v_old = (self).velocity(x_t, source, reference, t, tokens, (self).weights(base, old), ${HALF})
            if ${USES_REFERENCE}:
              v_reference = (self).velocity(x_t, source, reference, t, tokens, base, ${HALF})
            else:
              v_reference = v_old
            v = (self).velocity(x_t, source, reference, t, tokens, (self).weights(base, leaf), ${TRAINED})
            loss, policy, kl = (self).nft_loss(x0, noise, t, v, v_old, v_reference, optimality, clip, weight)
            return ((self).derivative(loss, leaf), policy, kl)
          def grpo_gradient(self: __torch__.Module, x: Tensor, next: Tensor, a: Tensor, b: Tensor, deviation: Tensor, factor: Tensor, t: Tensor, source: Tensor, reference: Tensor, tokens: Tensor, advantage: Tensor, weight: Tensor, theta: Tensor, old: Tensor, base: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            leaf = torch.requires_grad_(torch.detach(theta), True)
            v_old = (self).velocity(x, source, reference, t, tokens, (self).weights(base, old), ${TRAINED})
            if ${USES_REFERENCE}:
              v_reference = (self).velocity(x, source, reference, t, tokens, base, ${HALF})
            else:
              v_reference = v_old
            v = (self).velocity(x, source, reference, t, tokens, (self).weights(base, leaf), ${TRAINED})
            loss, policy, kl = (self).grpo_loss(x, next, a, b, deviation, factor, v, v_old, v_reference, advantage, weight)
            return ((self).derivative(loss, leaf), policy, kl)
        """;
}
