package darkroom.runtime;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.gpuworkers.flux.FluxFolderCheck;
import darkroom.gpuworkers.flux.FluxWorkload;
import darkroom.gpuworkers.pretrained.MemoryPlan;
import darkroom.gpuworkers.pretrained.ModelReport;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what a model folder holds, what memory it needs and what is wrong with it. */
@Command(
        name = "check",
        description = {
            "Shows what a model folder holds: architecture, parameters, element types, licence, digest of the weights,"
                    + " and the memory that each role needs.",
            "Names everything that is wrong with it at once, with the file and what to do: another pipeline, missing,"
                    + " cut or foreign files, tensors that do not fit the configuration, weights that are not computed"
                    + " with. Exit code 1 if there is anything."
        })
final class ModelCheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Model folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--batch", paramLabel = "N", description = "Samples at once. Default: ${DEFAULT-VALUE}")
    private int batch = 1;

    @Option(
            names = "--resolution",
            paramLabel = "SIDE",
            description = "Side of the pictures in pixels, a multiple of 16. Default: ${DEFAULT-VALUE}")
    private int resolution = 512;

    @Option(
            names = "--references",
            paramLabel = "N",
            description = "Reference pictures of a sample. Default: ${DEFAULT-VALUE}")
    private int references = 1;

    @Option(names = "--text-tokens", paramLabel = "N", description = "Tokens of a prompt. Default: ${DEFAULT-VALUE}")
    private int textTokens = 512;

    @Option(names = "--rank", paramLabel = "N", description = "Rank of the adapters. Default: ${DEFAULT-VALUE}")
    private int rank = 32;

    @Option(
            names = "--segment",
            paramLabel = "BLOCKS",
            description = "Blocks that a backward pass computes again together. Default: ${DEFAULT-VALUE}")
    private int segment = 1;

    @Option(
            names = "--all-linear",
            description = "Adapters of all linear modules of the blocks. Default: of the eight attention projections")
    private boolean allLinear;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        FluxWorkload load;
        try {
            load = new FluxWorkload(batch, resolution, references, textTokens, rank, segment, !allLinear);
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        }
        ModelReport report = FluxFolderCheck.check(folder, load);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(json(report, load).toPrettyString());
        } else {
            print(report, load, out);
        }
        out.flush();
        return (report.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILED).code();
    }

    private static void print(ModelReport report, FluxWorkload load, PrintWriter out) {
        out.println("%s: %s".formatted(report.folder(), report.pipeline().isEmpty() ? "no model" : report.pipeline()));
        for (ModelReport.Component component : report.components()) {
            out.println(String.format(
                    Locale.ROOT,
                    "  %-15s %-23s %,d parameters, %s, %s%s",
                    component.name(),
                    component.type(),
                    component.parameters(),
                    component.types().isEmpty() ? "no weights" : String.join(" and ", component.types()),
                    bytes(component.bytes()),
                    component.architecture().isEmpty() ? "" : "; " + component.architecture()));
        }
        out.println("licence: " + report.licence());
        report.digest().ifPresent(digest -> out.println("digest: sha256 " + digest));
        if (!report.plans().isEmpty()) {
            out.println(
                    "memory for %d x %d pixels, %d references, batch %d, %d text tokens, rank %d of %s, %d blocks a segment:"
                            .formatted(
                                    load.resolution(),
                                    load.resolution(),
                                    load.references(),
                                    load.batch(),
                                    load.textTokens(),
                                    load.rank(),
                                    load.attentionOnly() ? "the attention projections" : "all linear modules",
                                    load.segment()));
        }
        for (MemoryPlan plan : report.plans()) {
            out.println(String.format(Locale.ROOT, "  %-30s %12s", plan.role(), bytes(plan.bytes())));
            for (MemoryPlan.Item item : plan.items()) {
                out.println(String.format(
                        Locale.ROOT, "    %-28s %12s  %s", item.name(), bytes(item.bytes()), item.origin()));
            }
        }
        if (!report.problems().isEmpty()) {
            out.println("%d problems:".formatted(report.problems().size()));
            report.problems().forEach(problem -> out.println("  " + problem));
        }
    }

    private static ObjectNode json(ModelReport report, FluxWorkload load) {
        ObjectNode root = new JsonMapper().createObjectNode();
        root.put("folder", report.folder().toString());
        root.put("pipeline", report.pipeline());
        ArrayNode components = root.putArray("components");
        for (ModelReport.Component component : report.components()) {
            ObjectNode node = components.addObject();
            node.put("name", component.name());
            node.put("class", component.type());
            node.put("architecture", component.architecture());
            component.types().forEach(node.putArray("dtypes")::add);
            node.put("parameters", component.parameters());
            node.put("bytes", component.bytes());
        }
        root.put("licence", report.licence());
        report.digest().ifPresentOrElse(digest -> root.put("digest", "sha256:" + digest), () -> root.putNull("digest"));
        ObjectNode memory = root.putObject("memory");
        memory.put("batch", load.batch());
        memory.put("resolution", load.resolution());
        memory.put("references", load.references());
        memory.put("textTokens", load.textTokens());
        memory.put("rank", load.rank());
        memory.put("segment", load.segment());
        memory.put("attentionOnly", load.attentionOnly());
        ArrayNode plans = memory.putArray("plans");
        for (MemoryPlan plan : report.plans()) {
            ObjectNode node = plans.addObject();
            node.put("role", plan.role());
            node.put("bytes", plan.bytes());
            ArrayNode items = node.putArray("items");
            for (MemoryPlan.Item item : plan.items()) {
                items.addObject()
                        .put("name", item.name())
                        .put("bytes", item.bytes())
                        .put("origin", item.origin());
            }
        }
        report.problems().forEach(root.putArray("problems")::add);
        return root;
    }

    private static String bytes(long bytes) {
        if (bytes < 1L << 20) {
            return String.format(Locale.ROOT, "%.1f KiB", bytes / 0x1p10);
        }
        return bytes < 1L << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.2f GiB", bytes / 0x1p30);
    }
}
