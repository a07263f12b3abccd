package darkroom.runtime;

import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.PictureReader;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.gpuworkers.TorchRolloutDevice;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.run.EditingPolicy;
import darkroom.runtime.run.OpenPrompts;
import darkroom.tensors.OffHeapTensorStore;
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
            description = "Key of the noise; another seed generates another edit. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--magnify",
            paramLabel = "N",
            defaultValue = "1",
            description = "Write each pixel N by N; the embedded model generates 32 by 32. Default: ${DEFAULT-VALUE}")
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
                TorchRolloutDevice device = new TorchRolloutDevice(
                        "rollout-0", policy.policy(), policy.settings().rollout(), store)) {
            OpenPrompts open = new OpenPrompts(store);
            Prompt prompt = open.open(new Row(
                    "edit",
                    "unknown",
                    instruction,
                    "",
                    source.square(side),
                    second == null ? null : second.square(side),
                    null));
            RolloutUnit unit = new RolloutUnit(
                    "edit",
                    seed,
                    RolloutUnit.Purpose.EVALUATION,
                    0,
                    0,
                    1,
                    new PolicyVersion(0),
                    policy.put(store),
                    prompt);
            RolloutResult generated = device.perform(unit).toCompletableFuture().join();
            RgbImage edited = new Evaluator(open::row, store)
                    .image(generated.images().getFirst().pixels());
            RunDirectory.write(out, edited.magnified(magnify).png());
        }
        spec.commandLine()
                .getOut()
                .printf("%s: %d by %d pixels, generated by %s%n", out, side * magnify, side * magnify, policy.name());
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
