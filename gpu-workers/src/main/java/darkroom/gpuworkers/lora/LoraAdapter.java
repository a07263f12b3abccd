package darkroom.gpuworkers.lora;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Low-rank adapters of a model in one flat FLOAT32 vector on a device, with a view of it for every factor.
 *
 * <p>A version is served by copying the vector: the base is not touched. Thread-confined, as {@link TorchModule}.
 */
public final class LoraAdapter implements AutoCloseable {
    private final FlatLayout layout;
    private final TorchModule module;
    private final NDManager owned;
    private final TensorBuffer flat;
    private final List<Factor> factors = new ArrayList<>();
    private final NDArray scale;

    private record Factor(String name, FlatLayout.Entry entry, NDArray view) {}

    /**
     * Creates adapters of zeros.
     *
     * @param layout factors {@code MODULE.lora_A.weight} [rank, in] and {@code MODULE.lora_B.weight} [out, rank]
     * @param scale alpha / rank
     */
    public LoraAdapter(FlatLayout layout, double scale) {
        this.layout = layout;
        StringBuilder views = new StringBuilder();
        layout.entries()
                .values()
                .forEach(entry -> views.append(
                        "flat.narrow(0, %d, %d).view(%s), ".formatted(entry.offset(), entry.size(), entry.shape())));
        module = new TorchModule("""
            def views(flat: Tensor) -> List[Tensor]:
                return [%s]
            """.formatted(views));
        owned = module.scope();
        flat = TensorBuffer.floats(owned, Math.max(1, layout.size()));
        if (layout.size() > 0) {
            NDList list = module.call(owned, "views", flat.array());
            layout.entries().forEach((name, entry) -> {
                NDArray view = list.get(factors.size());
                view.setName("lora." + name);
                factors.add(new Factor(name, entry, view));
            });
            factors.sort(Comparator.comparing(Factor::name));
        }
        this.scale = owned.create(new float[] {(float) scale});
        this.scale.setName("lora.scale");
        owned.cap();
    }

    /** Returns adapters that change nothing, for the base itself. */
    public static LoraAdapter none() {
        return new LoraAdapter(new FlatLayout.Builder().build(), 0);
    }

    /** Returns the layout of the flat vector. */
    public FlatLayout layout() {
        return layout;
    }

    /** Serves other adapters from now on: FLOAT32 [parameters], copied. */
    public void serve(MemorySegment parameters) {
        flat.copy(parameters);
    }

    /** Returns the flat vector, FLOAT32 [parameters]; its bytes are live. */
    public TensorBuffer flat() {
        return flat;
    }

    /** Returns the factors whose name fulfils {@code wanted}, and the scale, as an argument of type {@code Dict[str, Tensor]}. */
    public NDList dictionary(Predicate<String> wanted) {
        NDList list = new NDList(scale);
        factors.stream().filter(factor -> wanted.test(factor.name())).forEach(factor -> list.add(factor.view()));
        return list;
    }

    /**
     * Writes gradients of single factors into a flat gradient.
     *
     * @param wanted as in {@link #dictionary}
     * @param gradients of these factors, in alphabetical order of their names
     */
    public void scatter(Predicate<String> wanted, NDList gradients, TensorBuffer into) {
        int next = 0;
        for (Factor factor : factors) {
            if (wanted.test(factor.name())) {
                MemorySegment from = TensorBuffer.of(gradients.get(next)).bytes();
                MemorySegment.copy(
                        from, 0, into.bytes(), (long) factor.entry().offset() * Float.BYTES, from.byteSize());
                next++;
            }
        }
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
