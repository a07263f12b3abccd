package darkroom.runtime;

import darkroom.actors.DrawUnit;
import darkroom.actors.Drawn;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.config.PictureView;
import darkroom.edittasks.FileFault;
import darkroom.edittasks.InstructionVocabulary;
import darkroom.edittasks.PictureReader;
import darkroom.edittasks.RgbImage;
import darkroom.gpuworkers.TorchRolloutDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Edits one picture. */
@Command(
        name = "edit",
        description = {
            "Edits one picture.",
            "",
            "  darkroom edit --checkpoint runs/demo-seed-0 --image in.png --instruction \"make the balloon purple\""
                    + " --out out.png"
        })
final class EditCommand implements Callable<Integer> {
    private static final int MAGNIFY_MAX = 32;
    private static final long STORE_BYTES = 256L << 20;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--checkpoint",
            required = true,
            paramLabel = "C",
            description =
                    "A run (its newest checkpoint), a checkpoint, a safetensors file, or a shipped base: mixed, clean.")
    private String checkpoint;

    @Option(
            names = "--image",
            required = true,
            paramLabel = "I",
            description = "Picture to edit: PNG, JPEG, WebP, GIF, BMP or TIFF. Read as the run's data.pictures says.")
    private Path image;

    @Option(names = "--reference", paramLabel = "I", description = "Second input picture (\"the object of image 2\").")
    private @Nullable Path reference;

    @Option(names = "--instruction", required = true, paramLabel = "TEXT", description = "What to change, in English.")
    private String instruction;

    @Option(names = "--out", required = true, paramLabel = "O", description = "PNG file to write.")
    private Path out;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "0",
            description = "Key of the noise; another seed draws another edit. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--magnify",
            paramLabel = "N",
            defaultValue = "1",
            description = "Write every pixel as N by N; the embedded model draws 32 by 32. Default: ${DEFAULT-VALUE}")
    private int magnify;

    @Override
    public Integer call() throws Exception {
        if (magnify < 1 || magnify > MAGNIFY_MAX) {
            throw new CommandFailedException(
                    "--magnify %d: allowed are 1 to %d".formatted(magnify, MAGNIFY_MAX), ExitCode.USAGE);
        }
        List<String> unknown = InstructionVocabulary.embedded().unknownWords(instruction);
        if (!unknown.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("The embedded model does not know these words and leaves them out: "
                            + String.join(", ", unknown));
        }
        List<String> beyond = InstructionVocabulary.embedded().wordsBeyond(instruction);
        if (!beyond.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("The embedded model reads %d tokens of an instruction and leaves out the rest: %s"
                            .formatted(InstructionVocabulary.LENGTH, String.join(", ", beyond)));
        }
        EditingPolicy policy = EditingPolicy.load(checkpoint, List.of());
        PictureView view = policy.settings().data().pictures();
        RgbImage source = read(image, view);
        RgbImage second = reference == null ? null : read(reference, view);
        int side = policy.settings().policy().resolution();
        try (OffHeapTensorStore store = new OffHeapTensorStore("local", STORE_BYTES);
                TorchRolloutDevice device = new TorchRolloutDevice("rollout-0", policy.policy(), store)) {
            OpenPrompts open = new OpenPrompts(store);
            Prompt prompt = open.open(new Row(
                    "edit",
                    "unknown",
                    instruction,
                    "",
                    source.square(side),
                    second == null ? null : second.square(side),
                    null));
            DrawUnit unit = new DrawUnit(
                    "edit",
                    seed,
                    DrawUnit.Purpose.EVALUATION,
                    0,
                    0,
                    1,
                    new PolicyVersion(0),
                    policy.put(store),
                    prompt);
            Drawn drawn = device.perform(unit).toCompletableFuture().join();
            RgbImage edited =
                    new Meter(open::row, store).image(drawn.images().getFirst().pixels());
            RunDirectory.write(out, edited.magnified(magnify).png());
        }
        spec.commandLine()
                .getOut()
                .printf("%s: %d by %d pixels, drawn by %s%n", out, side * magnify, side * magnify, policy.name());
        return ExitCode.OK.code();
    }

    private static RgbImage read(Path file, PictureView view) {
        try {
            return PictureReader.read(file, view).image();
        } catch (IOException e) {
            throw new CommandFailedException(
                    "%s cannot be read as a picture: %s".formatted(file, FileFault.reason(e, file)), e);
        }
    }
}
