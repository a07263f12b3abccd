package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.PretrainPolicy;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.studies.PretrainRate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a base model on rendered tasks by imitation. */
@Command(
        name = "pretrain",
        description = {
            "Trains a base model on rendered tasks by imitation.",
            "",
            "Writes BASE.safetensors and, after three tenths of the images, BASE-early.safetensors into DIR. The"
                + " defaults are those of the bases that ship: about 35 minutes on one core. Uses one thread; the same"
                + " options give the same weights on one kind of processor. 'train --set"
                + " policy.base=DIR/BASE.safetensors' starts from them."
        })
final class PretrainCommand implements Callable<Integer> {
    /** Quality of the training pairs. */
    enum Base {
        MIXED,
        CLEAN
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--base",
            paramLabel = "BASE",
            required = true,
            description = "mixed: four in ten pairs have a wrong, unedited or half-done target, as data from the web"
                    + " has; clean: every target is right.")
    private Base base;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory of the files.")
    private Path out;

    @Option(
            names = "--images",
            paramLabel = "N",
            description = "Training images, repetitions included. Default: ${DEFAULT-VALUE}")
    private long images = PretrainPolicy.SHIPPED_IMAGES;

    @Option(
            names = "--resolution",
            paramLabel = "SIDE",
            description = "Side of the square images, 32 or 64 pixels. Default: ${DEFAULT-VALUE}")
    private int resolution = 32;

    @Option(
            names = "--precision",
            paramLabel = "PRECISION",
            converter = Precisions.Label.class,
            completionCandidates = Precisions.Labels.class,
            description =
                    "Of linear layers: ${COMPLETION-CANDIDATES}; auto is the faster one on this processor, another"
                            + " one gives other weights. Default: auto")
    private Precision precision = Precision.AUTO;

    @Option(names = "--seed", paramLabel = "S", description = "Key of all randomness. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(names = "--lr", paramLabel = "RATE", description = "Peak of the learning rate. Default: 0.0015")
    private @Nullable Double learningRate;

    @Option(names = "--batch", paramLabel = "N", description = "Images per optimizer step. Default: 32")
    private @Nullable Integer batch;

    @Override
    public Integer call() {
        PretrainPolicy.Settings settings = settings();
        PrintWriter terminal = spec.commandLine().getOut();
        PretrainRate rate = new PretrainRate(settings.steps() * settings.batch(), "images", System::nanoTime);
        terminal.println("training %s at %dx%d on one thread in %s, into %s"
                .formatted(
                        settings.name(),
                        resolution,
                        resolution,
                        Precisions.label(settings.precision()),
                        out.toAbsolutePath()));
        terminal.flush();
        try {
            PretrainPolicy.run(settings, out, progress -> {
                terminal.println(rate.line(progress.images()) + loss(progress.loss()) + quality(progress.quality()));
                terminal.flush();
            });
        } catch (IOException e) {
            throw new CommandFailedException("%s: %s".formatted(out, FileFault.reason(e, out)), e);
        }
        terminal.println("wrote %s and %s".formatted(file(settings.name()), file(settings.name() + "-early")));
        terminal.flush();
        return ExitCode.OK.code();
    }

    private PretrainPolicy.Settings settings() {
        try {
            PretrainPolicy.Settings usual =
                    switch (base) {
                        case MIXED -> PretrainPolicy.Settings.mixed(resolution, images, seed);
                        case CLEAN -> PretrainPolicy.Settings.clean(resolution, images, seed);
                    };
            return usual.with(
                            batch == null ? usual.batch() : batch,
                            learningRate == null ? usual.learningRate() : learningRate)
                    .in(Precisions.decided(precision));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorReason.of(e));
        }
    }

    private Path file(String name) {
        return out.resolve(name + ".safetensors");
    }

    private static String loss(double loss) {
        return Double.isNaN(loss) ? "" : String.format(Locale.ROOT, ", loss %.4f", loss);
    }

    private static String quality(PretrainPolicy.@Nullable Quality quality) {
        if (quality == null) {
            return "";
        }
        return String.format(
                        Locale.ROOT,
                        "%n      held-out rows: ground truth %.3f, PSNR %.1f dB inside the edit and %.1f dB outside;",
                        quality.groundTruth(),
                        quality.psnrInside(),
                        quality.psnrOutside())
                + quality.byTask().entrySet().stream()
                        .map(entry -> String.format(
                                Locale.ROOT, " %s %.2f", entry.getKey().label(), entry.getValue()))
                        .collect(Collectors.joining(","));
    }
}
