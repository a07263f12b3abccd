package darkroom.gpuworkers;

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
    /** The slowest angle of the time embedding turns this many times slower than the fastest. */
    private static final double PERIOD_MAX = 10_000;

    private DitScript() {}

    static String of(DitShape shape) {
        return of(shape, DitShape.TIME_DIM);
    }

    /** @param timeDim numbers that a time is turned into: cosines and sines of half as many angles, even */
    static String of(DitShape shape, int timeDim) {
        int angles = timeDim / 2;
        return TEXT.replace(
                        "${SIZES}",
                        list(shape.layout().entries().values().stream()
                                .map(FlatLayout.Entry::size)
                                .toList()))
                .replace("${BLOCKS}", String.valueOf(shape.layers()))
                .replace("${DIM}", String.valueOf(shape.dim()))
                .replace("${HEADS}", String.valueOf(shape.heads()))
                .replace("${HEAD}", String.valueOf(shape.dim() / shape.heads()))
                .replace("${PATCHES}", String.valueOf(shape.patches()))
                .replace("${TOKENS}", String.valueOf(shape.tokens()))
                .replace("${GRID}", String.valueOf(shape.resolution() / shape.patch()))
                .replace("${PATCH}", String.valueOf(shape.patch()))
                .replace("${VALUES}", String.valueOf(shape.patchValues()))
                .replace("${SIDE}", String.valueOf(shape.resolution()))
                .replace("${WORD}", String.valueOf(DitShape.WORD_DIM))
                .replace("${TIME}", String.valueOf(timeDim))
                .replace("${ANGLES}", String.valueOf(angles))
                .replace("${DECAY}", String.valueOf(-StrictMath.log(PERIOD_MAX) / angles));
    }

    private static String list(List<Integer> values) {
        return values.toString();
    }

    private static final String TEXT = """
          def patches(self: __torch__.Module, image: Tensor) -> Tensor:
            b = torch.size(image, 0)
            grid = torch.view(image, [b, 3, ${GRID}, ${PATCH}, ${GRID}, ${PATCH}])
            return torch.reshape(torch.permute(grid, [0, 2, 4, 1, 3, 5]), [b, ${PATCHES}, ${VALUES}])
          def image(self: __torch__.Module, patches: Tensor) -> Tensor:
            b = torch.size(patches, 0)
            grid = torch.view(patches, [b, ${GRID}, ${GRID}, 3, ${PATCH}, ${PATCH}])
            return torch.reshape(torch.permute(grid, [0, 3, 1, 4, 2, 5]), [b, 3, ${SIDE}, ${SIDE}])
          def linear(self: __torch__.Module, x: Tensor, p: List[Tensor], at: int, inputs: int) -> Tensor:
            w = torch.view(p[at], [-1, inputs])
            return torch.linear(torch.type_as(x, w), w, p[at + 1])
          def trunk(self: __torch__.Module, h0: Tensor, c: Tensor, p: List[Tensor]) -> Tensor:
            h = h0
            b = torch.size(h, 0)
            n = torch.size(h, 1)
            for i in range(${BLOCKS}):
              at = 10 + i * 10
              m = torch.chunk(torch.unsqueeze(torch.to((self).linear(c, p, at, ${DIM}), 6), 1), 6, -1)
              a = torch.addcmul(m[0], torch.layer_norm(h, [${DIM}]), torch.add(m[1], 1))
              qkv = torch.to((self).linear(a, p, at + 2, ${DIM}), 6)
              qkv = torch.permute(torch.view(qkv, [b, n, 3, ${HEADS}, ${HEAD}]), [2, 0, 3, 1, 4])
              q, k, v = torch.unbind(qkv)
              s = torch.scaled_dot_product_attention(q, k, v)
              s = torch.reshape(torch.transpose(s, 1, 2), [b, n, ${DIM}])
              s = torch.to((self).linear(s, p, at + 4, ${DIM}), 6)
              h = torch.addcmul(h, m[2], s)
              a = torch.addcmul(m[3], torch.layer_norm(h, [${DIM}]), torch.add(m[4], 1))
              f = torch.gelu((self).linear(a, p, at + 6, ${DIM}), approximate="tanh")
              f = torch.to((self).linear(f, p, at + 8, 4 * ${DIM}), 6)
              h = torch.addcmul(h, m[5], f)
            return h
          def text(self: __torch__.Module, tokens: Tensor, p: List[Tensor]) -> Tensor:
            words = torch.embedding(torch.view(p[0], [-1, ${WORD}]), tokens)
            return torch.to((self).linear(words, p, 1, ${WORD}), 6)
          def condition(self: __torch__.Module, t: Tensor, text: Tensor, p: List[Tensor]) -> Tensor:
            f = torch.mul(torch.arange(${ANGLES}, dtype=6), ${DECAY})
            angle = torch.mul(torch.unsqueeze(t, 1), torch.mul(torch.exp(f), 1000.))
            c = torch.silu(torch.to((self).linear(torch.cat([torch.cos(angle), torch.sin(angle)], 1), p, 6, ${TIME}), 6))
            c = torch.to((self).linear(c, p, 8, ${DIM}), 6)
            return torch.silu(torch.add(c, torch.mean(text, [1])))
          def parameters(self: __torch__.Module, flat: Tensor, half: bool) -> List[Tensor]:
            if half:
              f = torch.to(flat, 15)
            else:
              f = flat
            return torch.split_with_sizes(f, ${SIZES}, 0)
          def velocity(self: __torch__.Module, x: Tensor, source: Tensor, reference: Tensor, t: Tensor, tokens: Tensor, flat: Tensor, half: bool) -> Tensor:
            p = (self).parameters(flat, half)
            text = (self).text(tokens, p)
            stacked = torch.cat([(self).patches(x), (self).patches(source), (self).patches(reference)], 2)
            h = torch.to((self).linear(stacked, p, 3, 3 * ${VALUES}), 6)
            h = torch.add(torch.cat([h, text], 1), torch.view(p[5], [${PATCHES} + ${TOKENS}, ${DIM}]))
            c = (self).condition(t, text, p)
            h = (self).trunk(h, c, p)
            at = 10 + ${BLOCKS} * 10
            m = torch.chunk(torch.unsqueeze(torch.to((self).linear(c, p, at, ${DIM}), 6), 1), 2, -1)
            h = torch.addcmul(m[0], torch.layer_norm(torch.slice(h, 1, 0, ${PATCHES}), [${DIM}]), torch.add(m[1], 1))
            return (self).image(torch.to((self).linear(h, p, at + 2, ${DIM}), 6))
          def velocity_half(self: __torch__.Module, x: Tensor, source: Tensor, reference: Tensor, t: Tensor, tokens: Tensor, flat: Tensor) -> Tensor:
            return (self).velocity(x, source, reference, t, tokens, flat, True)
          def velocity_full(self: __torch__.Module, x: Tensor, source: Tensor, reference: Tensor, t: Tensor, tokens: Tensor, flat: Tensor) -> Tensor:
            return (self).velocity(x, source, reference, t, tokens, flat, False)
        """;
}
