package darkroom.gpuworkers.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import darkroom.gpuworkers.checkpoints.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** A file of {@code flux-kontext-tiny/cases}: what diffusers computes, by the names of its tensors. */
public final class ReferenceCase implements AutoCloseable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Safetensors tensors;

    private ReferenceCase(Safetensors tensors) {
        this.tensors = tensors;
    }

    /** Returns the tiny model folder. */
    public static Path folder() {
        try {
            return Path.of(Objects.requireNonNull(
                                    ReferenceCase.class.getResource("/darkroom/gpuworkers/flux-kontext-tiny/cases"))
                            .toURI())
                    .resolveSibling("");
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the names of all cases of a kind. */
    public static Stream<String> names(String kind) {
        try (Stream<Path> files = Files.list(folder().resolve("cases"))) {
            List<String> names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(kind))
                    .sorted()
                    .toList();
            assertThat(names).isNotEmpty();
            return names.stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static ReferenceCase open(String name) throws IOException {
        return new ReferenceCase(Safetensors.open(folder().resolve("cases").resolve(name)));
    }

    public JsonNode parameter(String key) throws IOException {
        return new ObjectMapper().readTree(tensors.metadata().get(key));
    }

    public float[] floats(String tensor) throws IOException {
        return tensors.floats(tensor);
    }

    public byte[] bytes(String tensor) throws IOException {
        return tensors.bytes(tensor).toArray(ValueLayout.JAVA_BYTE);
    }

    public long[] longs(String tensor) throws IOException {
        return tensors.bytes(tensor).toArray(LONG);
    }

    public long[] shape(String tensor) throws IOException {
        return tensors.entry(tensor).shape().stream()
                .mapToLong(Integer::longValue)
                .toArray();
    }

    /** Requires that the largest difference, divided by the root mean square of the expected tensor, is small enough. */
    public void matches(String tensor, float[] computed, double tolerance) throws IOException {
        float[] expected = floats(tensor);
        assertThat(computed).hasSameSizeAs(expected);
        double largest = 0;
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs((double) computed[i] - expected[i]));
            squares += (double) expected[i] * expected[i];
        }
        assertThat(largest / Math.sqrt(squares / expected.length)).as(tensor).isLessThan(tolerance);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
