package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.checkpoints.Safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.stream.Stream;

/** The tiny folder of the tests with a transformer of random bfloat16 weights in two shards. */
final class FluxFolder {
    static final FluxConfig CONFIG = new FluxConfig(2, 2, 2, 8, 64, 16, 12, List.of(2, 2, 4), true);
    static final Path TINY = Path.of("src/test/resources/darkroom/gpuworkers/flux-kontext-tiny");
    static final String FIRST = "diffusion_pytorch_model-00001-of-00002.safetensors";
    static final String SECOND = "diffusion_pytorch_model-00002-of-00002.safetensors";
    static final String INDEX = "diffusion_pytorch_model.safetensors.index.json";

    private FluxFolder() {}

    static Path write(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(TINY)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Path name = TINY.relativize(file);
                if (!name.startsWith("cases")
                        && !name.startsWith("adapters")
                        && !(name.startsWith("transformer") && !name.endsWith("config.json"))) {
                    Files.createDirectories(folder.resolve(name).getParent());
                    Files.copy(file, folder.resolve(name));
                }
            }
        }
        text(folder, "README.md", """
            ---
            license: other
            license_name: flux-1-dev-non-commercial-license
            ---
            # A model
            """);
        shards(folder, FluxModules.tensors(CONFIG), Dtype.BF16);
        return folder;
    }

    /** Writes the transformer in two shards with their index. */
    static void shards(Path folder, SortedMap<String, List<Integer>> shapes, Dtype dtype) throws IOException {
        List<Tensor> first = new ArrayList<>();
        List<Tensor> second = new ArrayList<>();
        StringBuilder index = new StringBuilder();
        shapes.forEach((name, shape) -> {
            boolean before = name.compareTo("single_transformer_blocks.0.proj_out") < 0;
            (before ? first : second).add(tensor(name, shape, dtype));
            index.append(index.isEmpty() ? "" : ",").append("\"%s\": \"%s\"".formatted(name, before ? FIRST : SECOND));
        });
        Safetensors.write(folder.resolve("transformer").resolve(FIRST), Map.of("format", "pt"), first);
        Safetensors.write(folder.resolve("transformer").resolve(SECOND), Map.of("format", "pt"), second);
        text(folder, "transformer/" + INDEX, "{\"weight_map\": {" + index + "}}");
    }

    static Tensor tensor(String name, List<Integer> shape, Dtype dtype) {
        int count = shape.stream().reduce(1, (a, b) -> a * b);
        ByteBuffer floats = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(name.hashCode());
        for (int i = 0; i < count; i++) {
            floats.putFloat(i % 7 == 0 ? -0f : (float) random.nextGaussian());
        }
        return new Tensor(name, dtype, shape, () -> Safetensors.encode(dtype, MemorySegment.ofArray(floats.array())));
    }

    static Path text(Path folder, String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
