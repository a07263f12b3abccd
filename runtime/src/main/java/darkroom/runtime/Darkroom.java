package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.SettingsException;
import darkroom.edittasks.pictures.FileFault;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Program;
import darkroom.runtime.base.StandardOutput;
import darkroom.runtime.report.Logging;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line. Each command is a class named {@code …Command} that returns or throws; only this class ends the
 * process.
 */
@Command(
        name = "darkroom",
        description = "Post-trains an image-editing model by letting a multimodal LLM score the model's own edits.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Darkroom.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        usageHelpAutoWidth = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failed; the message says why",
            "2:usage or configuration; nothing was started",
            "3:finished, but some images could not be scored",
            "130:interrupted; a run has written a checkpoint"
        })
public final class Darkroom implements Runnable {
    private static final List<Class<?>> COMMANDS = List.of(
            DemoCommand.class,
            TrainCommand.class,
            NodeCommand.class,
            StatusCommand.class,
            FaultCommand.class,
            ChaosCommand.class,
            EvalCommand.class,
            EditCommand.class,
            ScoreCommand.class,
            AlignCommand.class,
            DatasetCommand.class,
            LedgerCommand.class,
            PretrainCommand.class,
            PretrainJudgeCommand.class,
            ConfigCommand.class,
            ModelCommand.class,
            VerifyCommand.class,
            BenchCommand.class,
            WarmUpCommand.class);

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "On failure print the stack trace; log at level DEBUG.")
    private boolean debug;

    /** Runs one command and exits with its code. */
    public static void main(String... args) {
        // The JDK's HTTP client reads this property once, on first use: ScorerHttp sets the Host header when it
        // connects to a host by its address.
        if (System.getProperty("jdk.httpclient.allowRestrictedHeaders") == null) {
            System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host");
        }
        System.exit(run(new FileOutputStream(FileDescriptor.out), args));
    }

    /**
     * Runs one command and returns its exit code.
     *
     * @param stdout receives what the command prints; the command fails if writing to it fails
     */
    static int run(OutputStream stdout, String... args) {
        StandardOutput output = new StandardOutput(stdout);
        PrintStream before = System.out;
        PrintStream printed = new PrintStream(output, true, before.charset());
        System.setOut(printed);
        try {
            CommandLine commands = commandLine(args);
            commands.setOut(new PrintWriter(printed, true, printed.charset()));
            return output.ended(commands.execute(args), printed, commands.getErr());
        } finally {
            System.setOut(before);
        }
    }

    /**
     * Returns the parser of the called command, or of all commands if none is called. Reading the options of all
     * commands takes half a second, which every process of a cluster would pay.
     */
    public static CommandLine commandLine(String... args) {
        Darkroom darkroom = new Darkroom();
        CommandLine commands = new CommandLine(darkroom);
        List<Class<?>> called = COMMANDS.stream()
                .filter(command -> args.length > 0
                        && command.getAnnotation(Command.class).name().equals(args[0]))
                .toList();
        if (called.isEmpty()) {
            COMMANDS.forEach(commands::addSubcommand);
            commands.addSubcommand(completion());
        } else {
            called.forEach(commands::addSubcommand);
        }
        commands.setCaseInsensitiveEnumValuesAllowed(true);
        commands.setExecutionStrategy(parsed -> {
            Logging.start(darkroom.debug);
            return new CommandLine.RunLast().execute(parsed);
        });
        commands.setParameterExceptionHandler(Darkroom::misused);
        commands.setExecutionExceptionHandler((thrown, line, parsed) -> darkroom.failed(thrown, line));
        return commands;
    }

    private static CommandLine completion() {
        CommandLine completion = new CommandLine(new AutoComplete.GenerateCompletion());
        completion
                .getCommandSpec()
                .usageMessage()
                .description("Prints a completion script for bash and zsh: source <(darkroom generate-completion)");
        return completion;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Prints only the error and where to find help: a page of help below would hide the error. */
    private static int misused(ParameterException wrong, String[] args) {
        CommandLine line = wrong.getCommandLine();
        PrintWriter err = line.getErr();
        err.println(line.getColorScheme().errorText("darkroom: " + ErrorReason.of(wrong)));
        UnmatchedArgumentException.printSuggestions(wrong, err);
        err.println("darkroom%s --help shows what there is."
                .formatted(line.getCommandSpec()
                        .qualifiedName(" ")
                        .substring(line.getCommandSpec().root().name().length())));
        err.flush();
        return ExitCode.USAGE.code();
    }

    private int failed(Exception thrown, CommandLine line) {
        PrintWriter err = line.getErr();
        String message = thrown.getMessage() == null ? thrown.toString() : thrown.getMessage();
        ExitCode code =
                switch (thrown) {
                    case CommandFailedException known -> known.exitCode();
                    case SettingsException settings -> ExitCode.USAGE;
                    case IllegalArgumentException argument -> ExitCode.FAILED;
                    case FileSystemException file -> {
                        message = FileFault.reason(file);
                        yield ExitCode.FAILED;
                    }
                    case UncheckedIOException file -> {
                        if (message.equals(String.valueOf(file.getCause()))) {
                            message = FileFault.reason(file);
                        }
                        yield ExitCode.FAILED;
                    }
                    case Exception unknown -> {
                        message = unknown.getClass().getSimpleName() + ": " + message;
                        yield ExitCode.FAILED;
                    }
                };
        err.println(line.getColorScheme().errorText("darkroom: " + message));
        if (debug) {
            thrown.printStackTrace(err);
        } else if (!(thrown instanceof CommandFailedException || thrown instanceof SettingsException)) {
            err.println("Run it again with --debug to see where this came from.");
        }
        err.flush();
        return code.code();
    }

    /** Prints version, virtual machine and processor, which a fault report needs. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "darkroom " + Program.version(),
                "JVM " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
            };
        }
    }
}
