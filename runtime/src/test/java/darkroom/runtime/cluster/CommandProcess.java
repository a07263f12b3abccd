package darkroom.runtime.cluster;

import darkroom.runtime.base.Poll;
import darkroom.runtime.chaos.NodeProcesses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** A darkroom command in its own process, which ends, with all processes that it started, when this is closed. */
public final class CommandProcess implements AutoCloseable {
    private static final Duration WITHIN = Duration.ofMinutes(4);
    private static final Duration LOOK_EVERY = Duration.ofMillis(20);

    private final Process process;
    private final Path log;
    private final List<ProcessHandle> descendants = new ArrayList<>();

    /**
     * Exit code and output of a command.
     *
     * @param printed on both streams
     */
    public record Finished(int code, String printed) {}

    private CommandProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /**
     * Starts a command.
     *
     * @param directory receives the output
     */
    public static CommandProcess start(Path directory, List<String> arguments) throws IOException {
        return start(directory, List.of(), arguments);
    }

    /**
     * Starts a command through another program.
     *
     * @param by a program that becomes the command; may be empty
     */
    public static CommandProcess start(Path directory, List<String> by, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(by);
        command.addAll(NodeProcesses.program());
        command.addAll(arguments);
        Path log = Files.createTempFile(directory, "command", ".log");
        return new CommandProcess(
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start(),
                log);
    }

    /** Returns a port that nobody listens on at the moment. */
    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    public Finished await() throws InterruptedException {
        awaitEnd();
        return new Finished(process.exitValue(), printed());
    }

    /** Waits for a command that takes long. */
    public Finished awaitWithin(Duration within) throws InterruptedException {
        awaitEnd(within);
        return new Finished(process.exitValue(), printed());
    }

    void awaitEnd() throws InterruptedException {
        awaitEnd(WITHIN);
    }

    private void awaitEnd(Duration within) throws InterruptedException {
        try {
            process.onExit().get(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            throw new AssertionError("not within " + within + ": the command ends\n" + printed(), late);
        } catch (ExecutionException e) {
            throw new AssertionError("the end of the command cannot be awaited", e);
        }
    }

    void awaitPrinted(String text) throws IOException, InterruptedException {
        until("it prints " + text, () -> printed().contains(text));
    }

    List<ProcessHandle> awaitDescendants(int count) throws IOException, InterruptedException {
        until(count + " processes are started", () -> process.descendants().count() >= count);
        descendants.addAll(process.descendants().toList());
        return List.copyOf(descendants);
    }

    void signal(String name) {
        NodeProcesses.signal(name, process);
    }

    /** Signals the command and all processes that it started, as a terminal does; it must lead their group. */
    void signalGroup(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, "--", "-" + process.pid())
                .inheritIO()
                .start()
                .waitFor();
    }

    /** Returns the output so far. */
    String printed() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void until(String what, Poll.Condition condition) throws IOException, InterruptedException {
        until(what, WITHIN, condition, this::printed);
    }

    /**
     * Waits until the condition holds.
     *
     * @param seen describes the state in the failure message
     */
    public static void until(String what, Duration within, Poll.Condition condition, Supplier<String> seen)
            throws IOException, InterruptedException {
        if (!Poll.until(LOOK_EVERY, within, condition)) {
            throw new AssertionError("not within " + within + ": " + what + "\n" + seen.get());
        }
    }

    @Override
    public void close() {
        descendants.addAll(process.descendants().toList());
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }
}
