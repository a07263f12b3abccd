package darkroom.gpuworkers.cases;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One test vector of a model: inputs, parameters and the outputs that diffusers computed, in a safetensors file.
 *
 * @param name file name without its suffix
 * @param kind what is computed, such as {@code velocity}
 */
public record ModelCase(
        String name,
        String kind,
        Path file,
        SortedMap<String, JsonNode> parameters,
        SortedMap<String, Values> tensors) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SUFFIX = ".safetensors";

    /**
     * One tensor of a case.
     *
     * @param values in float64, which holds every element type of the format exactly
     * @param type element type as in the file
     */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of values, never compared
    public record Values(List<Integer> shape, double[] values, Safetensors.Dtype type) {}

    /**
     * Reads a case.
     *
     * @throws IOException naming the file, if it is no case
     */
    public static ModelCase read(Path file) throws IOException {
        try (Safetensors safetensors = Safetensors.open(file)) {
            SortedMap<String, JsonNode> parameters = new TreeMap<>();
            String kind = safetensors.metadata().get("kind");
            if (kind == null) {
                throw new IOException(file + ": no metadata \"kind\"; the file is no case of a model");
            }
            for (var entry : safetensors.metadata().entrySet()) {
                if (!entry.getKey().equals("kind")) {
                    try {
                        parameters.put(entry.getKey(), JSON.readTree(entry.getValue()));
                    } catch (JsonProcessingException e) {
                        throw new IOException(
                                "%s: metadata %s=%s is no JSON".formatted(file, entry.getKey(), entry.getValue()), e);
                    }
                }
            }
            SortedMap<String, Values> tensors = new TreeMap<>();
            for (Safetensors.Entry entry : safetensors.entries()) {
                tensors.put(entry.name(), new Values(entry.shape(), safetensors.doubles(entry.name()), entry.dtype()));
            }
            String name = file.getFileName().toString();
            return new ModelCase(
                    name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name,
                    kind,
                    file,
                    parameters,
                    tensors);
        }
    }

    /** Returns the names of the expected tensors. */
    public List<String> outputs() throws IOException {
        List<String> outputs = new ArrayList<>();
        parameter("outputs").forEach(output -> outputs.add(output.asText()));
        return outputs;
    }

    /** Returns a tensor. */
    public Values tensor(String tensor) throws IOException {
        Values values = tensors.get(tensor);
        if (values == null) {
            throw new IOException("%s: no tensor \"%s\"; it has %s".formatted(file, tensor, tensors.keySet()));
        }
        return values;
    }

    /** Returns a tensor as FLOAT32 on a device. */
    public NDArray array(NDManager scope, String tensor) throws IOException {
        Values values = tensor(tensor);
        TensorBuffer buffer = TensorBuffer.floats(
                scope, values.shape().stream().mapToLong(Integer::longValue).toArray());
        float[] floats = new float[values.values().length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values.values()[i];
        }
        buffer.floats(0, floats);
        return buffer.array();
    }

    /** Returns the bytes of a UINT8 tensor. */
    public byte[] bytes(String tensor) throws IOException {
        double[] values = tensor(tensor).values();
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (int) values[i];
        }
        return bytes;
    }

    /** Returns a parameter. */
    public JsonNode parameter(String key) throws IOException {
        JsonNode node = parameters.get(key);
        if (node == null) {
            throw new IOException("%s: no parameter %s; it has %s".formatted(file, key, parameters.keySet()));
        }
        return node;
    }

    /** Returns a parameter of type string, if present. */
    public Optional<String> text(String key) {
        JsonNode node = parameters.get(key);
        return node == null || !node.isTextual() ? Optional.empty() : Optional.of(node.textValue());
    }

    /** Returns a number. */
    public double number(String key) throws IOException {
        JsonNode node = parameter(key);
        if (!node.isNumber()) {
            throw new IOException("%s: parameter %s=%s is no number".formatted(file, key, node));
        }
        return node.doubleValue();
    }

    /** Returns the names of all tensors that begin with {@code prefix}, in the order of the numbers after it. */
    public List<String> numbered(String prefix) {
        List<String> names = new ArrayList<>();
        for (int i = 0; tensors.containsKey(prefix + i); i++) {
            names.add(prefix + i);
        }
        return names;
    }
}
