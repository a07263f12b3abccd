package darkroom.runtime;

import darkroom.gpuworkers.PretrainJudge;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains the embedded judge on rendered tasks and edits of them. */
@Command(
        name = "pretrain-judge",
        description = {
            "Trains the embedded judge on rendered tasks and edits of them.",
            "",
            "Writes NAME.safetensors into DIR and says how often the judge orders two edits as ground truth does."
                    + " 'judge' is made with the options of the one that ships (about 30 minutes on one core; its four"
                    + " bases are what 'pretrain --base mixed' and 'pretrain --base clean' leave in DIR), 'weak' with"
                    + " those of the weak one, which invites reward hacking."
        })
final class PretrainJudgeCommand implements Callable<Integer> {
    private static final List<String> SHIPPED_BASES = List.of("mixed", "clean");
    private static final List<String> BASES = List.of("mixed", "clean", "mixed-early", "clean-early");

    /** Which recipe. */
    enum Name {
        JUDGE,
        WEAK
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--name", paramLabel = "NAME", required = true, description = "judge or weak.")
    private Name name;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory of the file.")
    private Path out;

    @Option(names = "--examples", paramLabel = "N", description = "Training examples. Default: 240000, weak 12800")
    private @Nullable Long examples;

    @Option(
            names = "--trunk",
            paramLabel = "BASE",
            description = "Base that the judge starts from: mixed, clean, a safetensors file, or none. Default: clean,"
                    + " weak none")
    private @Nullable String trunk;

    @Option(
            names = "--bases",
            paramLabel = "BASE",
            split = ",",
            description = "Bases whose edits are judged: mixed, clean or safetensors files. Default: mixed, clean,"
                    + " mixed-early and clean-early, from DIR where they are there; weak none")
    private @Nullable List<String> bases;

    @Option(names = "--pool", paramLabel = "N", description = "Edits drawn from the bases. Default: 20000, weak 0")
    private @Nullable Integer pool;

    @Option(names = "--lr", paramLabel = "RATE", description = "Peak of the learning rate. Default: 0.0008, weak 0.001")
    private @Nullable Double learningRate;

    @Option(names = "--seed", paramLabel = "S", description = "Key of all randomness. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Override
    public Integer call() {
        PrintWriter terminal = spec.commandLine().getOut();
        try {
            PretrainJudge.Settings settings = settings(terminal);
            Files.createDirectories(out);
            terminal.println("training %s on one thread, into %s; bases: %s, %d edits drawn first"
                    .formatted(
                            settings.name(),
                            out.toAbsolutePath(),
                            settings.bases().isEmpty() ? "none" : String.join(", ", settings.bases()),
                            settings.bases().isEmpty() ? 0 : settings.poolImages()));
            terminal.flush();
            String measured = shippedOrIn(out, "mixed");
            PretrainPace pace = new PretrainPace(settings.budget(), "examples", System::nanoTime);
            PretrainJudge.Agreement agreement = PretrainJudge.run(settings, measured, out, progress -> {
                if (progress.agreement() == null) {
                    terminal.println(line(pace, progress));
                    terminal.flush();
                }
            });
            terminal.println(String.format(
                    Locale.ROOT,
                    "wrote %s: orders pairs of held-out edits of %s as ground truth does in %.1f %% (ties half %.1f"
                            + " %%)",
                    out.resolve(settings.name() + ".safetensors"),
                    measured,
                    100 * agreement.strict(),
                    100 * agreement.tiesHalf()));
            terminal.flush();
            return ExitCode.OK.code();
        } catch (IOException e) {
            throw new CommandFailedException("%s: %s".formatted(out, e.getMessage()), e);
        }
    }

    private static String line(PretrainPace pace, PretrainJudge.Progress progress) {
        return String.format(
                Locale.ROOT,
                "%s, labels %.4f, ranking %.4f",
                pace.line(progress.examples()),
                progress.likelihood(),
                progress.ranking());
    }

    private PretrainJudge.Settings settings(PrintWriter terminal) {
        PretrainJudge.Settings usual =
                switch (name) {
                    case JUDGE -> PretrainJudge.judge(bases == null ? usualBases(terminal) : bases, seed);
                    case WEAK -> PretrainJudge.weak(seed);
                };
        String start = trunk == null ? usual.trunk() : trunk.equals("none") ? null : trunk;
        try {
            return new PretrainJudge.Settings(
                    usual.name(),
                    examples == null ? usual.examples() : examples,
                    "clean".equals(start) ? shippedOrIn(out, "clean") : start,
                    bases == null ? usual.bases() : bases,
                    pool == null ? usual.poolImages() : pool,
                    learningRate == null ? usual.learningRate() : learningRate,
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
        }
    }

    private List<String> usualBases(PrintWriter terminal) {
        List<String> found = new ArrayList<>();
        for (String base : BASES) {
            if (SHIPPED_BASES.contains(base) || Files.isRegularFile(file(out, base))) {
                found.add(shippedOrIn(out, base));
            } else {
                terminal.println(
                        "%s is not there, so %s is left out; 'pretrain' makes it".formatted(file(out, base), base));
            }
        }
        return found;
    }

    private static String shippedOrIn(Path directory, String base) {
        Path file = file(directory, base);
        return Files.isRegularFile(file) ? file.toString() : base;
    }

    private static Path file(Path directory, String base) {
        return directory.resolve(base + ".safetensors");
    }
}
