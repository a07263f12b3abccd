package darkroom.runtime.chaos;

import darkroom.config.ErrorReason;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.ProcessSpace;
import darkroom.runtime.base.Program;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Nodes in separate processes on this machine. They end with this process, however it ends; but if a standby may resume
 * the run, they end with the run.
 */
public final class NodeProcesses implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeProcesses.class);
    private static final int SECONDS_TO_LEAVE = 20;

    /** Maximum number of consecutive restarts of a kept node. */
    static final int RESTARTS_MAX = 6;

    private static final Duration RESTART_AFTER = Duration.ofSeconds(1);
    private static final Duration RESTART_AFTER_MAX = Duration.ofSeconds(30);

    /** A node that has run for this long resets the count of consecutive restarts. */
    private static final Duration STEADY_AFTER = Duration.ofMinutes(5);

    /** Half a minute each: by then no control node will resume the run. */
    private static final int INCARNATIONS_WITHOUT_CONTROL = 3;

    private final Path logs;
    private final boolean outlive;
    private final List<String> flags;
    private final List<Process> processes = new ArrayList<>();
    private boolean closed;
    private boolean letGo;
    private int started;

    /**
     * Creates an empty set of processes.
     *
     * @param logs directory for one log per process
     */
    public NodeProcesses(Path logs) {
        this(logs, false);
    }

    /**
     * Creates an empty set of processes.
     *
     * @param outlive whether the nodes continue if this process is killed
     */
    public NodeProcesses(Path logs, boolean outlive) {
        this(logs, outlive, List.of());
    }

    /**
     * Creates an empty set of processes.
     *
     * @param flags flags of their virtual machines, in addition to those of this one
     */
    NodeProcesses(Path logs, boolean outlive, List<String> flags) {
        this.logs = logs;
        this.outlive = outlive;
        this.flags = List.copyOf(flags);
    }

    /**
     * Returns the command line that starts this program again: the flags and the class path of this process, without a
     * command.
     */
    public static List<String> program() {
        return program(List.of());
    }

    private static List<String> program(List<String> flags) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-XX:AOTCacheOutput") && !flag.startsWith("-agentlib"))
                .toList());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.MAIN_CLASS));
        return command;
    }

    /** A node to keep running as long as the others. */
    private record Kept(List<String> roles, List<String> arguments, Consumer<String> said, String log) {}

    /**
     * Starts a node, and restarts it whenever it ends before it was released: {@link #RESTARTS_MAX} times in a row,
     * after pauses that grow from one second to half a minute. A node that ends with exit code 0 was asked to, and one
     * whose options are refused would be refused again: neither is restarted.
     *
     * @param said receives each end and each start, one line for people
     */
    public void keep(List<String> roles, List<String> arguments, Consumer<String> said) {
        Kept kept = new Kept(List.copyOf(roles), List.copyOf(arguments), said, nextLog(roles));
        watch(kept, start(List.of(), roles, arguments, kept.log()), 0);
    }

    private void watch(Kept kept, Process process, int restarts) {
        long began = System.nanoTime();
        CompletionStage<Process> end = process.onExit();
        end.thenAcceptAsync(ended -> {
            Duration ran = Duration.ofNanos(System.nanoTime() - began);
            ended(kept, ended, ran.compareTo(STEADY_AFTER) > 0 ? 0 : restarts);
        });
    }

    private synchronized void ended(Kept kept, Process process, int restarts) {
        int code = process.exitValue();
        if (closed || letGo || code == ExitCode.OK.code()) {
            return;
        }
        processes.remove(process);
        String what = "process %d with roles %s has ended with exit code %d; its log is %s"
                .formatted(process.pid(), kept.roles(), code, logs.resolve(kept.log()));
        if (code == ExitCode.USAGE.code() || restarts == RESTARTS_MAX) {
            kept.said()
                    .accept(what
                            + ". It is not started again%s; 'darkroom node' adds another."
                                    .formatted(restarts == RESTARTS_MAX ? " after " + RESTARTS_MAX + " times" : ""));
            return;
        }
        Duration pause = pause(restarts);
        kept.said().accept("%s. It is started again in %d s.".formatted(what, pause.toSeconds()));
        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> restart(kept, restarts + 1));
    }

    /** Returns the pause before start number {@code restarts + 1} after the first. */
    static Duration pause(int restarts) {
        Duration pause = RESTART_AFTER.multipliedBy(1L << Math.min(restarts, 16));
        return pause.compareTo(RESTART_AFTER_MAX) > 0 ? RESTART_AFTER_MAX : pause;
    }

    private synchronized void restart(Kept kept, int restarts) {
        if (!closed && !letGo) {
            try {
                watch(kept, start(List.of(), kept.roles(), kept.arguments(), kept.log()), restarts);
            } catch (UncheckedIOException e) {
                LOG.error("a node that has ended is not started again", e);
            }
        }
    }

    /** Starts a node with the flags of this process. */
    public Process start(List<String> roles, List<String> arguments) {
        return start(List.of(), roles, arguments);
    }

    /**
     * Starts a node through another program.
     *
     * @param by a program that becomes the node, for instance {@code ip netns exec NAME}; empty for none
     */
    public Process start(List<String> by, List<String> roles, List<String> arguments) {
        return start(by, roles, arguments, nextLog(roles));
    }

    private synchronized String nextLog(List<String> roles) {
        return "%s-%d.log".formatted(String.join("+", roles), started++);
    }

    private synchronized Process start(List<String> by, List<String> roles, List<String> arguments, String logName) {
        if (closed) {
            throw new IllegalStateException("no process is started while the others end");
        }
        List<String> command = new ArrayList<>(by);
        command.addAll(program(flags));
        command.add("node");
        command.addAll(List.of("--roles", String.join(",", roles)));
        command.addAll(
                outlive
                        ? List.of("--lives", Integer.toString(INCARNATIONS_WITHOUT_CONTROL))
                        : List.of("--parent", ProcessHandle.current().pid() + "@" + ProcessSpace.HERE.processes()));
        command.addAll(arguments);
        try {
            Files.createDirectories(logs);
            File log = logs.resolve(logName).toFile();
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                    .start();
            processes.add(process);
            LOG.info("process {} has roles {}, its log is {}", process.pid(), roles, log);
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no process for %s could be started, its log is in %s: %s"
                            .formatted(String.join(", ", roles), logs, ErrorReason.of(e)),
                    e);
        }
    }

    /** Stops the process for a while, as a debugger, a full disk or a hypervisor would, and then resumes it. */
    public void stopFor(Process process, int millis) {
        signal("STOP", process);
        CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(() -> signal("CONT", process));
    }

    /**
     * Sends a signal.
     *
     * @param name of a signal, for instance {@code STOP}
     */
    public static void signal(String name, Process process) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor(SECONDS_TO_LEAVE, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new UncheckedIOException("signal " + name + " was not sent to " + process.pid(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits some seconds at most until all have left by themselves. None is restarted. */
    public synchronized void awaitLeft() {
        letGo = true;
        await();
    }

    /** Kills all at once. */
    public synchronized void kill() {
        closed = true;
        processes.forEach(Process::destroyForcibly);
    }

    /** Asks all to leave, and kills those that have not left within some seconds. */
    @Override
    public synchronized void close() {
        closed = true;
        processes.forEach(Process::destroy);
        await();
    }

    private synchronized void await() {
        for (Process process : processes) {
            try {
                if (!process.waitFor(SECONDS_TO_LEAVE, TimeUnit.SECONDS)) {
                    LOG.warn("process {} has not left within {} s", process.pid(), SECONDS_TO_LEAVE);
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
