package darkroom.gpuworkers.cases;

import darkroom.config.ErrorReason;
import darkroom.gpuworkers.cases.OutputComparison.Measure;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Runs the cases of a model folder through the code that generates and trains.
 *
 * <p>Tolerances are about five times what runs of diffusers itself differ by, on several processors and attention kernels.
 * Thread-confined.
 */
public final class ModelVerification implements AutoCloseable {
    private final FluxCases cases;

    /**
     * Opens a folder.
     *
     * @throws IOException naming what is wrong with it
     */
    public ModelVerification(Path folder) throws IOException {
        Torch.enterThread();
        cases = new FluxCases(ModelFolder.open(folder));
    }

    /** The comparison of all outputs of one case. */
    public record CaseResult(String name, String kind, List<OutputComparison> outputs) {
        public CaseResult {
            outputs = List.copyOf(outputs);
        }

        /** Whether every output is accepted. */
        public boolean passed() {
            return outputs.stream().allMatch(OutputComparison::passed);
        }

        /** Returns the output that is furthest from what is accepted. */
        public OutputComparison worst() {
            return outputs.stream()
                    .max(Comparator.comparingDouble(ModelVerification::excess))
                    .orElseThrow();
        }
    }

    private static double excess(OutputComparison output) {
        if (!output.passed()) {
            return Double.POSITIVE_INFINITY;
        }
        return output.tolerance() == 0 ? 0 : output.error() / output.tolerance();
    }

    /**
     * Computes one case and compares all its outputs.
     *
     * <p>A case that cannot be read or computed is a failed one, with the reason as its problem, so that the other cases are
     * still verified.
     */
    public CaseResult verify(Path file) {
        String name = file.getFileName().toString();
        String kind = "unknown";
        List<OutputComparison> compared = new ArrayList<>();
        try {
            ModelCase c = ModelCase.read(file);
            name = c.name();
            kind = c.kind();
            compared.addAll(compare(c, cases.compute(c)));
        } catch (IOException | RuntimeException e) {
            compared.add(OutputComparison.failed("case", ErrorReason.of(e)));
        }
        return new CaseResult(name, kind, compared);
    }

    private static List<OutputComparison> compare(ModelCase c, CaseOutputs computed) throws IOException {
        List<OutputComparison> compared = new ArrayList<>();
        List<String> expected = c.outputs();
        for (String output : expected) {
            CaseOutputs.ModelOutput values = computed.all().get(output);
            compared.add(
                    values == null
                            ? OutputComparison.failed(output, "was not computed")
                            : OutputComparison.of(
                                    output, c.tensor(output), values.shape(), values.values(), measure(c, output)));
        }
        for (String output : computed.names()) {
            if (!expected.contains(output)) {
                compared.add(OutputComparison.failed(output, "was computed and is not expected"));
            }
        }
        if (compared.isEmpty()) {
            throw new IOException(c.file() + ": the case expects no output");
        }
        return compared;
    }

    private static Measure measure(ModelCase c, String output) throws IOException {
        if (output.startsWith("ids.") || output.equals("resized")) {
            return new Measure.Absolute(0, 0);
        }
        if (output.equals("edited")) {
            return new Measure.Levels(1, 0.01);
        }
        if (output.startsWith("after.")) {
            return new Measure.Absolute(c.number("learning_rate") / 3, 1e-6);
        }
        return new Measure.Relative(tolerance(c, output));
    }

    private static double tolerance(ModelCase c, String output) {
        if (output.equals("sigmas") || output.equals("timesteps")) {
            return 2e-7;
        }
        if (output.startsWith("grad.") || output.equals("norms")) {
            return 1e-3;
        }
        if (output.startsWith("loss")) {
            return 1e-4;
        }
        if (c.kind().startsWith("vae-") || c.kind().equals("encode-text")) {
            return 5e-5;
        }
        return c.text("dtype").orElse("f32").equals("bf16") ? 8e-2 : 2e-4;
    }

    @Override
    public void close() {
        cases.close();
    }
}
