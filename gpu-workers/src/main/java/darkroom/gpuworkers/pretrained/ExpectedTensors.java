package darkroom.gpuworkers.pretrained;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Names and shapes of the tensors that a component must have, as its configuration says. */
public final class ExpectedTensors {
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

    /** Expects one tensor. */
    public ExpectedTensors tensor(String name, long... shape) {
        shapes.put(name, Arrays.stream(shape).boxed().toList());
        return this;
    }

    /** Expects the weight and the bias of a linear layer. */
    public ExpectedTensors linear(String name, int in, int out) {
        return tensor(name + ".weight", out, in).tensor(name + ".bias", out);
    }

    /** Expects the weight and the bias of a convolution with a square kernel. */
    public ExpectedTensors conv(String name, int in, int out, int kernel) {
        return tensor(name + ".weight", out, in, kernel, kernel).tensor(name + ".bias", out);
    }

    /** Expects the weight and the bias of a normalisation. */
    public ExpectedTensors norm(String name, int width) {
        return tensor(name + ".weight", width).tensor(name + ".bias", width);
    }

    /** Returns the shapes by name. */
    Map<String, List<Long>> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /**
     * Compares with what a component has; further tensors are ignored.
     *
     * @throws IOException naming the folder and the first tensor that is missing or has another shape
     */
    public void check(Path component, MappedWeights weights) throws IOException {
        for (Map.Entry<String, List<Long>> expected : shapes.entrySet()) {
            var array = weights.arrays().get(expected.getKey());
            if (array == null) {
                throw new IOException("%s: tensor %s is missing, which config.json asks for; download the folder again"
                        .formatted(component, expected.getKey()));
            }
            List<Long> shape =
                    LongStream.of(array.getShape().getShape()).boxed().toList();
            if (!shape.equals(expected.getValue())) {
                throw new IOException(
                        "%s: tensor %s has shape %s, expected %s by config.json; download the folder again"
                                .formatted(component, expected.getKey(), shape, expected.getValue()));
            }
        }
    }
}
