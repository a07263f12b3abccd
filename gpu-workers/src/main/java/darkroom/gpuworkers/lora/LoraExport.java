package darkroom.gpuworkers.lora;

import darkroom.edittasks.datasets.OutputFile;
import darkroom.gpuworkers.checkpoints.Safetensors;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes adapters in a spelling. */
final class LoraExport {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final LoraFile adapters;
    private final LoraTargets targets;

    LoraExport(LoraFile adapters, LoraTargets targets) {
        this.adapters = adapters;
        this.targets = targets;
    }

    void write(Path file, LoraSpelling spelling) throws IOException {
        List<Safetensors.Tensor> tensors = spelling == LoraSpelling.DIFFUSERS ? named() : fused(spelling);
        OutputFile output = OutputFile.at(file);
        try {
            Safetensors.write(output.place(), Map.of("format", "pt"), tensors);
            output.finish();
        } catch (IOException | RuntimeException e) {
            try {
                output.discard();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** By diffusers' names, with the scale in B. */
    private List<Safetensors.Tensor> named() {
        List<Safetensors.Tensor> tensors = new ArrayList<>();
        adapters.layout().entries().forEach((name, entry) -> {
            float factor = name.endsWith(LoraFile.B) ? (float) adapters.scale() : 1;
            float[] values = new float[entry.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = adapters.flat()[entry.offset() + i] * factor;
            }
            tensors.add(tensor("transformer." + name, entry.shape(), values));
        });
        return tensors;
    }

    /** By the publisher's names: A of fused modules below each other, B on the diagonal, so that each keeps its own factors. */
    private List<Safetensors.Tensor> fused(LoraSpelling spelling) {
        List<Safetensors.Tensor> tensors = new ArrayList<>();
        targets.foreign().forEach((name, fused) -> {
            List<String> adapted =
                    fused.modules().stream().filter(adapters::adapts).toList();
            if (adapted.isEmpty()) {
                return;
            }
            int rank = adapted.stream().mapToInt(adapters::rank).sum();
            int in = targets.size(adapted.getFirst()).in();
            int out = fused.modules().stream()
                    .mapToInt(module -> targets.size(module).out())
                    .sum();
            float[] down = new float[rank * in];
            float[] up = new float[out * rank];
            int row = 0;
            int column = 0;
            for (String module : fused.modules()) {
                int rows = targets.size(module).out();
                if (adapters.adapts(module)) {
                    int columns = adapters.rank(module);
                    float[] b = adapters.b(module);
                    System.arraycopy(adapters.a(module), 0, down, column * in, columns * in);
                    for (int i = 0; i < rows; i++) {
                        int to = fused.swapped() ? (i + rows / 2) % rows : row + i;
                        System.arraycopy(b, i * columns, up, to * rank + column, columns);
                    }
                    column += columns;
                }
                row += rows;
            }
            String prefix =
                    spelling == LoraSpelling.KOHYA ? "lora_unet_" + name.replace('.', '_') : "diffusion_model." + name;
            tensors.add(tensor(prefix + ".alpha", List.of(), new float[] {(float) (adapters.scale() * rank)}));
            tensors.add(tensor(prefix + ".lora_down.weight", List.of(rank, in), down));
            tensors.add(tensor(prefix + ".lora_up.weight", List.of(out, rank), up));
        });
        return tensors;
    }

    private static Safetensors.Tensor tensor(String name, List<Integer> shape, float[] values) {
        return new Safetensors.Tensor(name, Safetensors.Dtype.F32, shape, () -> {
            MemorySegment bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Float.BYTES)]);
            MemorySegment.copy(values, 0, bytes, FLOAT, 0, values.length);
            return bytes;
        });
    }
}
