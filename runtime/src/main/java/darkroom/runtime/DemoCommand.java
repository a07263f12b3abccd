package darkroom.runtime;

import darkroom.config.Recipes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains the embedded model for a few minutes and writes a report. */
@Command(
        name = "demo",
        description = {
            "Post-trains the embedded image-editing model for a few minutes, without GPU or network, and writes a"
                    + " report.",
            "",
            "The same as 'train --recipe embedded-demo': real actors, a real judge behind HTTP on loopback, held-out"
                    + " tasks measured before and after against exact targets."
        })
final class DemoCommand implements Callable<Integer> {
    private static final List<String> QUICK =
            List.of("steps=6", "evaluation.tasks=24", "evaluation.images-per-task=2", "evaluation.every-steps=0");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Key of all randomness. Default: ${DEFAULT-VALUE}",
            defaultValue = "0")
    private long seed;

    @Option(names = "--out", paramLabel = "DIR", description = "Directory of the run. Default: runs/demo-seed-SEED")
    private @Nullable Path out;

    @Option(names = "--quick", description = "A few steps only: shows that everything works, not that it learns.")
    private boolean quick;

    @Override
    public Integer call() throws Exception {
        List<String> overrides = new ArrayList<>(List.of("seed=" + seed));
        if (quick) {
            overrides.addAll(QUICK);
        }
        Path directory = out == null ? free(Path.of("runs", (quick ? "quick-seed-" : "demo-seed-") + seed)) : out;
        return LocalRun.start(
                        Recipes.load("embedded-demo", overrides),
                        directory,
                        spec.commandLine().getOut())
                .code();
    }

    /** The directory, or the first of DIR-2, DIR-3, ... that does not exist: a demo may be repeated. */
    private static Path free(Path wanted) {
        Path free = wanted;
        for (int i = 2; Files.exists(free); i++) {
            free = wanted.resolveSibling(wanted.getFileName() + "-" + i);
        }
        return free;
    }
}
