package darkroom.runtime;

import darkroom.config.Recipes;
import darkroom.gpuworkers.PrecisionMeasurement;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.run.RunFit;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows a recipe, or checks a configuration file. */
@Command(
        name = "config",
        description = "Shows a recipe, or checks a configuration file.",
        subcommands = {ConfigCommand.Show.class, ConfigCommand.Check.class},
        synopsisSubcommandLabel = "COMMAND")
final class ConfigCommand implements Runnable {
    private static final String DEFAULT_RECIPE = "embedded-demo";

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** {@code config show}. */
    @Command(
            name = "show",
            description = {
                "Prints every setting with its value and what it means, as HOCON that 'train --recipe FILE' takes.",
                "A value that is not the default has the default behind it."
            })
    static final class Show implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @ArgGroup
        private @Nullable Source source;

        @Option(names = "--set", paramLabel = "KEY=VALUE", description = "A setting that wins; repeatable.")
        private List<String> set = List.of();

        /** Source of the settings: a recipe or a file. */
        static final class Source {
            @Option(
                    names = "--recipe",
                    paramLabel = "NAME",
                    description = "A recipe that ships: embedded-demo (default), embedded-paper,"
                            + " embedded-paper-literal, embedded-flow-grpo, embedded-flow-grpo-local, flux-kontext,"
                            + " flux-kontext-ban, qwen-image-edit, qwen-image-edit-public or uniworld-v2.")
            private @Nullable String recipe;

            @Option(names = "--file", paramLabel = "FILE", description = "A HOCON file.")
            private @Nullable Path file;
        }

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            out.print(Recipes.explain(name(), set));
            if (Recipes.load(name(), set).isPrecisionOpen()) {
                PrecisionMeasurement measured = PrecisionMeasurement.ofThisProcessor(System::nanoTime);
                out.printf(
                        "# A precision auto is decided when a run begins. On this processor it is %s:%n# %s.%n",
                        Precisions.label(measured.faster()), measured.describe());
            }
            out.flush();
            return ExitCode.OK.code();
        }

        private String name() {
            if (source == null) {
                return DEFAULT_RECIPE;
            }
            return source.file == null ? String.valueOf(source.recipe) : source.file.toString();
        }
    }

    /** {@code config check}. */
    @Command(
            name = "check",
            description =
                    "Checks configuration files: which key is wrong, why, and what is allowed. Exit code 2 if any is.")
    static final class Check implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "FILE", arity = "1..*", description = "HOCON files, or names of recipes that ship.")
        private List<String> files;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            PrintWriter err = spec.commandLine().getErr();
            ExitCode code = ExitCode.OK;
            for (String file : files) {
                Recipes.Check check = Recipes.check(file, List.of());
                List<String> faults = new ArrayList<>(check.faults());
                check.settings().ifPresent(settings -> faults.addAll(RunFit.faults(settings)));
                faults.forEach(fault -> err.println(file + ": " + fault));
                if (faults.isEmpty()) {
                    out.println(file + ": valid (recipe "
                            + check.settings().orElseThrow().recipe() + ")");
                } else {
                    code = ExitCode.USAGE;
                }
            }
            out.flush();
            err.flush();
            return code.code();
        }
    }
}
