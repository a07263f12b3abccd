package darkroom.rewardactors.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A vLLM server, installed if it is missing, with a tiny model; its processes form a process group. */
final class RealVllm implements AutoCloseable {
    private static final Path SCRIPTS = Path.of("vllm").toAbsolutePath();
    private static final Duration HEALTHY_WITHIN = Duration.ofMinutes(5);
    private static final Duration RUN_WITHIN = Duration.ofMinutes(20);

    private final String python;
    private final Path directory;
    private final int port;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private @Nullable Process process;

    private RealVllm(Path directory) throws IOException, InterruptedException {
        this.directory = directory;
        this.python = run(List.of(script("install.sh")), directory.resolve("install.out"))
                .strip();
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = free.getLocalPort();
        }
    }

    /** @param directory for the model and logs */
    static RealVllm ofRandomWeights(Path directory) throws IOException, InterruptedException {
        RealVllm vllm = new RealVllm(directory);
        run(List.of(vllm.python, script("make_tiny.py"), vllm.model()), directory.resolve("make.out"));
        return vllm;
    }

    /**
     * Starts a briefly trained judge.
     *
     * @param directory for the model and logs
     * @param examples directory that train_judge.py reads
     */
    static RealVllm trained(Path directory, Path examples) throws IOException, InterruptedException {
        RealVllm vllm = new RealVllm(directory);
        run(
                List.of(vllm.python, script("train_judge.py"), examples.toString(), vllm.model()),
                directory.resolve("train.out"));
        return vllm;
    }

    private static String script(String name) {
        return SCRIPTS.resolve(name).toString();
    }

    private String model() {
        return directory.resolve("tiny").toString();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Returns the model's own scores of the rows of a file of pairs, each with its prompt: rows with id and score. */
    String reference(Path pairs) throws IOException, InterruptedException {
        return run(
                List.of(python, script("reference.py"), model(), pairs.toString()), directory.resolve("reference.out"));
    }

    /** Starts the server and waits until it reports that it is healthy. */
    void start() throws IOException, InterruptedException {
        process = new ProcessBuilder("setsid", script("serve.sh"), python, model(), Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("server.log").toFile()))
                .start();
        long until = System.nanoTime() + HEALTHY_WITHIN.toNanos();
        while (!isHealthy()) {
            if (System.nanoTime() > until || !process.isAlive()) {
                throw new IOException("vLLM did not start:\n" + tail());
            }
            LockSupport.parkNanos(200_000_000);
        }
    }

    boolean isHealthy() throws InterruptedException {
        try {
            HttpRequest request = HttpRequest.newBuilder(url().resolve("/health"))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    /** SIGKILL to all its processes. */
    void kill() throws IOException, InterruptedException {
        Process now = process;
        if (now != null) {
            signal("-KILL", List.of("-" + now.pid()));
            now.waitFor();
            process = null;
        }
    }

    /** Returns the engine and its workers: all but the process that speaks HTTP. */
    List<String> engine() {
        Process now = process;
        return now == null
                ? List.of()
                : now.descendants().map(each -> Long.toString(each.pid())).toList();
    }

    static void signal(String signal, List<String> processes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", signal, "--"));
        command.addAll(processes);
        new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    private String tail() throws IOException {
        List<String> lines = Files.readAllLines(directory.resolve("server.log"));
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    }

    private static String run(List<String> command, Path out) throws IOException, InterruptedException {
        Path err = out.resolveSibling(out.getFileName() + ".err");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(RUN_WITHIN.toMillis(), TimeUnit.MILLISECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(command + ": " + Files.readString(err, StandardCharsets.UTF_8));
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        try {
            kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        http.close();
    }
}
