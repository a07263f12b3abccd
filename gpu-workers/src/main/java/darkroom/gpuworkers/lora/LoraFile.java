package darkroom.gpuworkers.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Adapters as a file holds them, by the names of the model's modules.
 *
 * @param layout factors {@code MODULE.lora_A.weight} [rank, in] and {@code MODULE.lora_B.weight} [out, rank], by name
 * @param flat their values in one vector
 * @param scale alpha / rank, by which B A is multiplied
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of weights, never compared
public record LoraFile(FlatLayout layout, float[] flat, double scale) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String CONFIG = "adapter_config.json";
    private static final String METADATA = "lora_adapter_metadata";

    /**
     * Reads adapters that diffusers or PEFT wrote: a safetensors file, or a folder with {@code adapter_model.safetensors} and
     * {@code adapter_config.json}.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static LoraFile read(Path path) throws IOException {
        boolean folder = Files.isDirectory(path);
        Path file = folder ? path.resolve(WEIGHTS) : path;
        try (Safetensors tensors = Safetensors.open(file)) {
            SortedMap<String, String> names = new TreeMap<>();
            for (Safetensors.Entry entry : tensors.entries()) {
                names.put(module(entry.name()), entry.name());
            }
            FlatLayout.Builder builder = new FlatLayout.Builder();
            for (var name : names.entrySet()) {
                builder.add(
                        name.getKey(), tensors.entry(name.getValue()).shape().toArray(Integer[]::new));
            }
            FlatLayout layout = builder.build();
            float[] flat = new float[layout.size()];
            for (var name : names.entrySet()) {
                float[] values = tensors.floats(name.getValue());
                System.arraycopy(values, 0, flat, layout.entry(name.getKey()).offset(), values.length);
            }
            return new LoraFile(layout, flat, folder ? folderScale(path.resolve(CONFIG)) : fileScale(tensors));
        }
    }

    private static String module(String name) {
        for (String prefix : new String[] {"base_model.model.", "transformer."}) {
            if (name.startsWith(prefix)) {
                return name.substring(prefix.length());
            }
        }
        return name;
    }

    private static double folderScale(Path config) throws IOException {
        JsonNode root = JSON.readTree(Files.readString(config));
        return root.path("lora_alpha").asDouble() / root.path("r").asDouble();
    }

    private static double fileScale(Safetensors tensors) throws IOException {
        String metadata = tensors.metadata().get(METADATA);
        if (metadata == null) {
            return 1;
        }
        JsonNode root = JSON.readTree(metadata);
        return root.path("transformer.lora_alpha").asDouble()
                / root.path("transformer.r").asDouble();
    }
}
