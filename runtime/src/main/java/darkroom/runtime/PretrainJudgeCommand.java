package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.JudgeExamples;
import darkroom.gpuworkers.PretrainJudge;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.studies.PretrainRate;
import darkroom.runtime.studies.QwenJudge;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a judge on rendered tasks and edits of them: the embedded one, or one that vLLM serves. */
@Command(
        name = "pretrain-judge",
        description = {
            "Trains a judge on rendered tasks and edits of them: the embedded one, or one that vLLM serves.",
            "",
            "Writes NAME.safetensors into DIR and says how often the judge orders two edits as ground truth does."
                    + " 'judge' is made with the options of the one that ships (about 30 minutes on one core; its four"
                    + " bases are what 'pretrain --base mixed' and 'pretrain --base clean' leave in DIR), 'weak' with"
                    + " those of the weak one, which invites reward hacking.",
            "",
            "With --as qwen2.5-vl it is a small Qwen2.5-VL instead, trained in the private environment of vLLM, which"
                + " is installed the first time (Python 3.11, 2.8 GB to fetch, 5.5 GB on the disk). Writes the Hugging"
                + " Face directory DIR/qwen2.5-vl, and the scripts that install and serve, DIR/vllm."
        })
final class PretrainJudgeCommand implements Callable<Integer> {
    private static final long QWEN_EXAMPLES = 192_000;
    private static final int QWEN_POOL = 8_000;
    private static final double QWEN_LEARNING_RATE = 3e-3;
    private static final List<String> SHIPPED_BASES = List.of("mixed", "clean");
    private static final List<String> BASES = List.of("mixed", "clean", "mixed-early", "clean-early");

    /** Kind of judge. */
    enum Kind {
        EMBEDDED("embedded"),
        QWEN2_5_VL("qwen2.5-vl");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        @Override
        public String toString() {
            return label;
        }
    }

    /** Recipe of an embedded judge. */
    enum Name {
        JUDGE,
        WEAK
    }

    /** Reads a kind by its label. */
    static final class KindReader implements CommandLine.ITypeConverter<Kind> {
        @Override
        public Kind convert(String label) {
            return Arrays.stream(Kind.values())
                    .filter(kind -> kind.label.equals(label))
                    .findFirst()
                    .orElseThrow(() -> new CommandLine.TypeConversionException(
                            "'%s' is none of %s".formatted(label, Arrays.toString(Kind.values()))));
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--as",
            paramLabel = "KIND",
            converter = KindReader.class,
            description = "embedded or qwen2.5-vl. Default: ${DEFAULT-VALUE}")
    private Kind kind = Kind.EMBEDDED;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "judge or weak. Needed for an embedded one, and for no other.")
    private @Nullable Name name;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory of the file.")
    private Path out;

    @Option(
            names = "--examples",
            paramLabel = "N",
            description = "Training examples. Default: 240000, weak 12800, qwen2.5-vl 192000")
    private @Nullable Long examples;

    @Option(
            names = "--trunk",
            paramLabel = "BASE",
            description = "Base that the judge starts from: mixed, clean, a safetensors file, or none. Default: clean,"
                    + " weak none. Not for qwen2.5-vl, which starts from nothing")
    private @Nullable String trunk;

    @Option(
            names = "--bases",
            paramLabel = "BASE",
            split = ",",
            description = "Bases whose edits are judged: mixed, clean or safetensors files. Default: mixed, clean,"
                    + " mixed-early and clean-early, from DIR where they are there; weak none")
    private @Nullable List<String> bases;

    @Option(
            names = "--pool",
            paramLabel = "N",
            description = "Edits generated by the bases. Default: 20000, weak 0, qwen2.5-vl 8000")
    private @Nullable Integer pool;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Peak of the learning rate. Default: 0.0008, weak 0.001, qwen2.5-vl 0.003")
    private @Nullable Double learningRate;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            description =
                    "Ends the training of a qwen2.5-vl after these, also where not all examples were seen by then."
                            + " Default: ${DEFAULT-VALUE}")
    private double minutes = 40;

    @Option(
            names = "--precision",
            paramLabel = "PRECISION",
            converter = Precisions.Label.class,
            completionCandidates = Precisions.Labels.class,
            description = "Of linear layers: ${COMPLETION-CANDIDATES}; auto is the faster one on this processor."
                    + " Default: auto")
    private Precision precision = Precision.AUTO;

    @Option(names = "--seed", paramLabel = "S", description = "Key of all randomness. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Override
    public Integer call() {
        return switch (kind) {
            case EMBEDDED -> embedded();
            case QWEN2_5_VL -> qwen();
        };
    }

    private int qwen() {
        if (name != null || trunk != null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "%s is for an embedded judge, not for --as qwen2.5-vl"
                            .formatted(name != null ? "--name" : "--trunk"));
        }
        PrintWriter terminal = spec.commandLine().getOut();
        QwenJudge.Settings settings;
        try {
            settings = new QwenJudge.Settings(
                    examples == null ? QWEN_EXAMPLES : examples,
                    bases == null ? usualBases(terminal) : bases,
                    pool == null ? QWEN_POOL : pool,
                    learningRate == null ? QWEN_LEARNING_RATE : learningRate,
                    minutes,
                    shippedOrIn(out, "mixed"),
                    JudgeExamples.HELD_OUT_GROUPS,
                    Precisions.decided(precision),
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorReason.of(e));
        }
        QwenJudge.Listener listener = new QwenJudge.Listener() {
            private PretrainRate rate = rate();

            private PretrainRate rate() {
                return new PretrainRate(settings.rows() * JudgeExamples.CANDIDATES, "examples", System::nanoTime);
            }

            @Override
            public void begins(String step) {
                say(step);
                rate = rate();
            }

            @Override
            public void progress(PretrainJudge.Progress progress) {
                say(line(rate, progress));
            }

            private void say(String line) {
                terminal.println(line);
                terminal.flush();
            }
        };
        try (QwenJudge judge = new QwenJudge(settings, out)) {
            String python = judge.python(listener);
            PretrainJudge.Agreement agreement = judge.train(python, listener);
            listener.begins(wrote(judge.model(), settings.agreementBase(), agreement));
            listener.begins("serve it, and train with it:");
            listener.begins("    " + judge.serving(python));
            listener.begins("    darkroom train --scorer http://127.0.0.1:8000");
            return ExitCode.OK.code();
        } catch (IOException e) {
            throw new CommandFailedException("%s: %s".formatted(out, FileFault.reason(e, out)), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailedException("interrupted", e);
        }
    }

    private int embedded() {
        if (name == null) {
            throw new ParameterException(spec.commandLine(), "Missing required option: '--name=NAME'");
        }
        PrintWriter terminal = spec.commandLine().getOut();
        try {
            PretrainJudge.Settings settings = settings(name, terminal);
            Files.createDirectories(out);
            terminal.println("training %s on one thread in %s, into %s; bases: %s, %d edits generated first"
                    .formatted(
                            settings.name(),
                            Precisions.label(settings.precision()),
                            out.toAbsolutePath(),
                            settings.bases().isEmpty() ? "none" : String.join(", ", settings.bases()),
                            settings.bases().isEmpty() ? 0 : settings.poolImages()));
            terminal.flush();
            String measured = shippedOrIn(out, "mixed");
            PretrainRate rate = new PretrainRate(settings.budget(), "examples", System::nanoTime);
            PretrainJudge.Agreement agreement = PretrainJudge.run(settings, measured, out, progress -> {
                if (progress.agreement() == null) {
                    terminal.println(line(rate, progress));
                    terminal.flush();
                }
            });
            terminal.println(wrote(out.resolve(settings.name() + ".safetensors"), measured, agreement));
            terminal.flush();
            return ExitCode.OK.code();
        } catch (IOException e) {
            throw new CommandFailedException("%s: %s".formatted(out, FileFault.reason(e, out)), e);
        }
    }

    private static String wrote(Path what, String measured, PretrainJudge.Agreement agreement) {
        return String.format(
                Locale.ROOT,
                "wrote %s: orders pairs of held-out edits of %s as ground truth does in %.1f %% (ties half %.1f %%)",
                what,
                measured,
                100 * agreement.strict(),
                100 * agreement.tiesHalf());
    }

    private static String line(PretrainRate rate, PretrainJudge.Progress progress) {
        return String.format(
                Locale.ROOT,
                "%s, labels %.4f, ranking %.4f",
                rate.line(progress.examples()),
                progress.likelihood(),
                progress.ranking());
    }

    private PretrainJudge.Settings settings(Name name, PrintWriter terminal) {
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
                    Precisions.decided(precision),
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorReason.of(e));
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
