package darkroom.gpuworkers.cases;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** The computed tensors of one case, by the names of its outputs. */
final class CaseOutputs {
    private final SortedMap<String, ModelOutput> outputs = new TreeMap<>();

    /** One computed tensor. */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of values, never compared
    record ModelOutput(List<Integer> shape, double[] values) {}

    CaseOutputs put(String name, List<Integer> shape, double... values) {
        outputs.put(name, new ModelOutput(List.copyOf(shape), values));
        return this;
    }

    /** Copies a FLOAT32 tensor of a device. */
    CaseOutputs put(String name, NDArray array) {
        return put(name, shape(array), OutputComparison.doubles(array.toFloatArray()));
    }

    static List<Integer> shape(NDArray array) {
        return LongStream.of(array.getShape().getShape())
                .mapToObj(Math::toIntExact)
                .toList();
    }

    Map<String, ModelOutput> all() {
        return outputs;
    }

    List<String> names() {
        return new ArrayList<>(outputs.keySet());
    }
}
