package darkroom.runtime;

import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.golden.GoldenVerification;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Checks this build against test vectors. */
@Command(
        name = "verify",
        description = "Checks this build against test vectors.",
        subcommands = VerifyCommand.Golden.class,
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
}
