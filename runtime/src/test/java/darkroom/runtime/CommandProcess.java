package darkroom.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A command of ours in a process of its own, which ends, with all that it started, when this is closed. */
final class CommandProcess implements AutoCloseable {
    private static final Duration WITHIN = Duration.ofMinutes(4);
    private static final int LOOK_EVERY_MILLIS = 20;

    private final Process process;
    private final Path log;
    private final List<ProcessHandle> descendants = new ArrayList<>();

    /** @param printed on both streams */
    record Finished(int code, String printed) {}

    private CommandProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** @param directory for what it prints */
    static CommandProcess start(Path directory, List<String> arguments) throws IOException {
        return start(directory, List.of(), arguments);
    }

    /** @param by a program that becomes the command; may be empty */
    static CommandProcess start(Path directory, List<String> by, List<String> arguments) throws IOException {
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

    /** A port that nobody listens on at the moment. */
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    Finished await() throws IOException, InterruptedException {
        awaitEnd();
        return new Finished(process.exitValue(), printed());
    }

    /** For a command that takes long. */
    Finished awaitWithin(Duration within) throws IOException, InterruptedException {
        until("the command ends", within, () -> !process.isAlive(), this::printed);
        return new Finished(process.exitValue(), printed());
    }

    void awaitEnd() throws IOException, InterruptedException {
        until("the command ends", () -> !process.isAlive());
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

    /** To the command and all that it started, as a terminal does; it has to lead their group. */
    void signalGroup(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, "--", "-" + process.pid())
                .inheritIO()
                .start()
                .waitFor();
    }

    /** All that it has said so far. */
    String printed() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void until(String what, ProcessCluster.Condition condition) throws IOException, InterruptedException {
        until(what, WITHIN, condition, this::printed);
    }

    /** @param seen told if it does not come */
    static void until(String what, Duration within, ProcessCluster.Condition condition, Supplier<String> seen)
            throws IOException, InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        long end = System.nanoTime() + within.toNanos();
        while (!condition.holds()) {
            if (never.await(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS) || System.nanoTime() > end) {
                throw new AssertionError("not within " + within + ": " + what + "\n" + seen.get());
            }
        }
    }

    @Override
    public void close() {
        descendants.addAll(process.descendants().toList());
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }
}
