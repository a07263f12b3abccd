package darkroom.runtime;

import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.flux.FluxConfig;
import darkroom.gpuworkers.flux.FluxFolderCheck;
import darkroom.gpuworkers.flux.FluxMerge;
import darkroom.gpuworkers.flux.FluxModules;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.gpuworkers.lora.LoraSpelling;
import darkroom.gpuworkers.lora.LoraTargets;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.run.CheckpointAdapters;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes adapters in the spelling of another program, or merged into the model. */
@Command(
        name = "export",
        description = {
            "Writes adapters in the spelling of another program, or the model's transformer with them merged.",
            "Reads the usual spellings, among them those that it writes, and folders of PEFT. Every tensor of the file"
                    + " must match a module of the model; otherwise all that do not are named and nothing is written."
        })
final class ModelExportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "FOLDER",
            description = "Model folder in the layout of diffusers that the adapters are of.")
    private Path folder;

    @Option(
            names = "--adapter",
            paramLabel = "FILE",
            required = true,
            description = "Adapters: a safetensors file, a folder that PEFT or diffusers wrote, a run (its newest"
                    + " checkpoint that is whole) or one of its checkpoints.")
    private Path adapter;

    @Option(names = "--out", paramLabel = "FILE", description = "File of the converted adapters, *.safetensors.")
    private @Nullable Path out;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "diffusers (the default), which PEFT loads too, with the scale in B; comfyui or kohya, with"
                    + " the publisher's fused modules and alpha")
    private LoraSpelling format = LoraSpelling.DIFFUSERS;

    @Option(
            names = "--merged",
            paramLabel = "DIR",
            description =
                    "New folder for the transformer with the adapters added to its weights, in their element type.")
    private @Nullable Path merged;

    @Override
    public Integer call() {
        if (out == null && merged == null) {
            throw new CommandFailedException("nothing to write: give --out=FILE, --merged=DIR or both", ExitCode.USAGE);
        }
        PrintWriter print = spec.commandLine().getOut();
        try {
            ModelFolder model = ModelFolder.open(folder);
            if (!model.pipeline().equals(FluxFolderCheck.PIPELINE)) {
                throw new IOException("%s is a folder of %s; supported is %s"
                        .formatted(folder, model.pipeline(), FluxFolderCheck.PIPELINE));
            }
            LoraTargets targets = FluxModules.linear(FluxConfig.read(model.file("transformer", "config.json")));
            Optional<LoraFile> trained = CheckpointAdapters.read(adapter);
            LoraFile adapters = trained.isPresent() ? trained.get() : LoraFile.read(adapter, targets);
            long modules =
                    targets.modules().keySet().stream().filter(adapters::adapts).count();
            print.println("%s: %d of %d modules adapted, scale %s"
                    .formatted(adapter, modules, targets.modules().size(), adapters.scale()));
            if (out != null) {
                adapters.write(out, format, targets);
                print.println("%s written as %s".formatted(out, format.name().toLowerCase(Locale.ROOT)));
            }
            if (merged != null) {
                long changed = FluxMerge.write(model, adapters, merged);
                print.println("%s written, %,d values differ from the base".formatted(merged, changed));
            }
            print.flush();
            return ExitCode.OK.code();
        } catch (FileSystemException e) {
            throw new CommandFailedException(FileFault.reason(e), e);
        } catch (IOException e) {
            throw new CommandFailedException(String.valueOf(e.getMessage()), e);
        }
    }
}
