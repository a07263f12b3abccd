package darkroom.runtime;

import darkroom.gpuworkers.cases.ModelVerification;
import darkroom.gpuworkers.cases.OutputComparison;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.golden.GoldenVerification;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Checks this build against test vectors. */
@Command(
        name = "verify",
        description = "Checks this build against test vectors.",
        subcommands = {VerifyCommand.Golden.class, VerifyCommand.Model.class},
        synopsisSubcommandLabel = "COMMAND")
final class VerifyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** {@code verify golden DIR}. */
    @Command(
            name = "golden",
            description = {
                "Runs every test vector file of a directory through the code that generates, scores and trains.",
                "Double precision in Java and the device code in float64 must agree to 1e-9, the device code in"
                        + " float32 to 1e-6 (relative). A file, case or field that is not understood fails."
            })
    static final class Golden implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "Directory of JSON files, each an array of cases.")
        private Path directory;

        @Override
        public Integer call() {
            if (!Files.isDirectory(directory)) {
                throw new CommandFailedException(directory + " is no directory", ExitCode.USAGE);
            }
            PrintWriter out = spec.commandLine().getOut();
            List<Path> files = GoldenVerification.files(directory);
            if (files.isEmpty()) {
                throw new CommandFailedException(directory + " has no test vectors: nothing was verified");
            }
            int passed = 0;
            int failed = 0;
            try (GoldenVerification verification = new GoldenVerification()) {
                for (Path file : files) {
                    GoldenVerification.FileResult result = verification.verify(file);
                    passed += result.passed();
                    failed += result.failed();
                    out.println(line(result));
                    result.failures()
                            .forEach(failure -> out.println(failure.indent(2).stripTrailing()));
                    out.flush();
                }
            }
            out.println("%d files: %d passed, %d failed".formatted(files.size(), passed, failed));
            out.flush();
            return (failed == 0 ? ExitCode.OK : ExitCode.FAILED).code();
        }

        private static String line(GoldenVerification.FileResult result) {
            String worst = result.worst().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .map(entry ->
                            String.format(Locale.ROOT, "%s %.1e", entry.getKey().words(), entry.getValue()))
                    .collect(Collectors.joining(", "));
            return "%s: %d passed, %d failed%s"
                    .formatted(
                            result.file(),
                            result.passed(),
                            result.failed(),
                            worst.isEmpty() ? "" : " (largest relative error: " + worst + ")");
        }
    }

    /** {@code verify model FOLDER}. */
    @Command(
            name = "model",
            description = {
                "Runs test vectors of a model folder through the code that generates and trains.",
                "The vectors are what diffusers computes with the same folder: text embeddings, the VAE, velocities"
                    + " with and without adapters, noise levels, trajectories, the NFT loss and its gradients, AdamW,"
                    + " whole edits. Each output has a tolerance of about five times what runs of diffusers differ by."
                    + " Exit code 1 if one is outside it."
            })
    static final class Model implements Callable<Integer> {
        private static final String SUFFIX = ".safetensors";

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "FOLDER", description = "Model folder in the layout of diffusers.")
        private Path folder;

        @Option(
                names = "--cases",
                paramLabel = "DIR",
                description = "Directory of case files, *.safetensors. Default: FOLDER/cases.")
        private @Nullable Path cases;

        @Override
        public Integer call() throws IOException {
            Path directory = cases == null ? folder.resolve("cases") : cases;
            if (!Files.isDirectory(directory)) {
                throw new CommandFailedException(
                        directory + " is no directory; give the directory of the cases with --cases", ExitCode.USAGE);
            }
            List<Path> files;
            try (Stream<Path> all = Files.list(directory)) {
                files = all.filter(file -> file.toString().endsWith(SUFFIX))
                        .sorted()
                        .toList();
            }
            if (files.isEmpty()) {
                throw new CommandFailedException(directory + " has no cases (*.safetensors): nothing was verified");
            }
            PrintWriter out = spec.commandLine().getOut();
            int failed = 0;
            try (ModelVerification verification = new ModelVerification(folder)) {
                for (Path file : files) {
                    long start = System.nanoTime();
                    ModelVerification.CaseResult result = verification.verify(file);
                    failed += result.passed() ? 0 : 1;
                    out.println(line(result, (System.nanoTime() - start) / 1e9));
                    out.flush();
                }
            }
            out.println("%d cases: %d passed, %d failed".formatted(files.size(), files.size() - failed, failed));
            out.flush();
            return (failed == 0 ? ExitCode.OK : ExitCode.FAILED).code();
        }

        private static String line(ModelVerification.CaseResult result, double seconds) {
            OutputComparison worst = result.worst();
            String outputs = result.outputs().size() == 1
                    ? worst.output()
                    : "%s, the worst of %d outputs"
                            .formatted(worst.output(), result.outputs().size());
            String numbers = Double.isNaN(worst.error())
                    ? worst.problem()
                    : String.format(
                            Locale.ROOT,
                            "error %.1e, tolerance %.1e%s",
                            worst.error(),
                            worst.tolerance(),
                            worst.problem().isEmpty() ? "" : "; " + worst.problem());
            return String.format(
                    Locale.ROOT,
                    "%-6s %s: %s: %s (%.1f s)",
                    result.passed() ? "passed" : "FAILED",
                    result.name(),
                    outputs,
                    numbers,
                    seconds);
        }
    }
}
