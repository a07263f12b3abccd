package darkroom.gpuworkers;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import java.util.List;

/**
 * Low-rank adapters on the attention projections (qkv and out) and the MLP of every block, as one flat vector on a
 * frozen base: W' = W + (alpha / rank) B A, with A [rank, in] drawn from N(0, 1/rank^2) and B [out, rank] zero (the
 * initialisation of the public code). Rank 0 means no adapters: the flat vector is the model itself.
 */
public final class LoraLayout {
    private static final List<String> TARGETS = List.of("qkv", "out", "up", "down");

    private final DitShape shape;
    private final int rank;
    private final double alpha;
    private final FlatLayout adapters;

    public LoraLayout(DitShape shape, int rank, double alpha) {
        this.shape = shape;
        this.rank = rank;
        this.alpha = alpha;
        FlatLayout.Builder flat = new FlatLayout.Builder();
        FlatLayout base = shape.layout();
        if (rank > 0) {
            for (int i = 0; i < shape.layers(); i++) {
                for (String target : TARGETS) {
                    List<Integer> weight =
                            base.entry("blocks." + i + "." + target + ".weight").shape();
                    flat.add("blocks." + i + "." + target + ".lora_A.weight", rank, weight.get(1));
                    flat.add("blocks." + i + "." + target + ".lora_B.weight", weight.get(0), rank);
                }
            }
        }
        adapters = flat.build();
    }

    /** Returns the trained parameters: the adapters, or the whole model when the rank is 0. */
    public FlatLayout trained() {
        return rank > 0 ? adapters : shape.layout();
    }

    /** Whether only adapters are trained. */
    public boolean isLora() {
        return rank > 0;
    }

    /** Returns the method {@code weights(base, trained)}: the flat vector of the model with the trained parameters. */
    String script() {
        StringBuilder text = new StringBuilder("def weights(base: Tensor, trained: Tensor) -> Tensor:\n");
        if (rank == 0) {
            return text.append("    return trained\n").toString();
        }
        List<Integer> sizes = shape.layout().entries().values().stream()
                .map(FlatLayout.Entry::size)
                .toList();
        List<Integer> parts =
                adapters.entries().values().stream().map(FlatLayout.Entry::size).toList();
        text.append("    p = torch.split_with_sizes(base, ").append(sizes).append(", 0)\n");
        text.append("    q = torch.split_with_sizes(trained, ").append(parts).append(", 0)\n");
        int part = 0;
        for (int i = 0; i < shape.layers(); i++) {
            for (String target : TARGETS) {
                String name = "blocks." + i + "." + target + ".weight";
                int at = List.copyOf(shape.layout().entries().keySet()).indexOf(name);
                List<Integer> weight = shape.layout().entry(name).shape();
                text.append("    a = torch.view(q[%d], [%d, %d])\n".formatted(part, rank, weight.get(1)));
                text.append("    b = torch.view(q[%d], [%d, %d])\n".formatted(part + 1, weight.get(0), rank));
                text.append(
                        "    d = torch.mul(torch.matmul(b, a), %s)\n".formatted(ObjectiveScript.number(alpha / rank)));
                text.append("    p[%d] = torch.add(p[%d], torch.flatten(d))\n".formatted(at, at));
                part += 2;
            }
        }
        return text.append("    return torch.cat(p, 0)\n").toString();
    }
}
