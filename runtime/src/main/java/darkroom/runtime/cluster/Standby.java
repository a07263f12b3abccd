package darkroom.runtime.cluster;

import darkroom.config.ErrorReason;
import darkroom.config.LedgerSettings;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.FollowedException;
import darkroom.runtime.base.NodeCards;
import darkroom.runtime.report.Logging;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A control node that waits until the active one is gone and then resumes the run, from its newest checkpoint and its
 * ledger, which has every score given so far.
 *
 * <p>The ledger elects the successor. The node that opens it becomes its writer, and the database refuses every other
 * one (LG-2), so that a wrong guess here costs time and nothing else. A ledger in a file is locked by its owner; an
 * owner on this machine that is silent is killed first, which also ends one that is stopped.
 */
public final class Standby {
    private static final Logger LOG = LoggerFactory.getLogger(Standby.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(250);
    private static final String SIGNS = "standby";

    /** Longer than a standby needs to be seen as active. */
    private static final Duration TURN = Duration.ofSeconds(5);

    private static final int REFUSED_MAX = 20;
    private static final Duration KILLED_WITHIN = Duration.ofSeconds(5);

    private final Path directory;
    private final List<String> overrides;
    private final RunEnvironment.Opener environments;
    private final Preparation preparation;
    private final PrintWriter terminal;
    private final CountDownLatch leaving = new CountDownLatch(1);

    /** Loads and compiles the classes that a take-over needs, so that it is fast when needed. */
    public interface Preparation {
        void run() throws IOException, InterruptedException;
    }

    /**
     * Creates a standby.
     *
     * @param directory of the run; it may not exist yet
     * @param overrides settings of this node
     * @param environments of the control node that this becomes
     * @param preparation done before this node begins to wait
     */
    public Standby(
            Path directory,
            List<String> overrides,
            RunEnvironment.Opener environments,
            Preparation preparation,
            PrintWriter terminal) {
        this.directory = directory;
        this.overrides = List.copyOf(overrides);
        this.environments = environments;
        this.preparation = preparation;
        this.terminal = terminal;
    }

    /** Stops waiting. */
    void leave() {
        leaving.countDown();
    }

    /**
     * Waits, and returns when the run has ended, under this node or under another.
     *
     * @param silentAfter how long the active node is silent before it counts as gone
     */
    public ExitCode run(Duration silentAfter) throws IOException, InterruptedException {
        Path sign = directory.resolve(SIGNS).resolve(NodeCards.name(ControlNode.ROLE) + ".json");
        put(sign);
        try {
            return watch(silentAfter, sign);
        } finally {
            Files.deleteIfExists(sign);
        }
    }

    private static void put(Path sign) throws IOException {
        Files.createDirectories(sign.getParent());
        ControlHeartbeat.first(sign.getFileName().toString(), "").writeTo(sign);
    }

    /**
     * Whether a standby waits for this run, as far as this machine can tell; one on another machine is assumed to be
     * alive.
     */
    static boolean isThere(@Nullable Path directory) {
        if (directory == null) {
            return false;
        }
        try (Stream<Path> signs = Files.list(directory.resolve(SIGNS))) {
            return signs.map(ControlHeartbeat::readFrom)
                    .flatMap(Optional::stream)
                    .anyMatch(sign -> !sign.isOfThisHost() || sign.process().isPresent());
        } catch (IOException none) {
            LOG.debug("{} has no standby", directory, none);
            return false;
        }
    }

    private ExitCode watch(Duration silentAfter, Path sign) throws IOException, InterruptedException {
        say("waits as standby for the control node of " + directory);
        preparation.run();
        HeartbeatMonitor watch = new HeartbeatMonitor(silentAfter, System::nanoTime);
        int refused = 0;
        while (!leaving.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
            Optional<ControlHeartbeat> seen = ControlHeartbeat.read(directory);
            Optional<Boolean> alive = seen.filter(ControlHeartbeat::isOfThisHost)
                    .map(heartbeat -> heartbeat.process().isPresent());
            switch (watch.look(seen, alive)) {
                case HeartbeatMonitor.Observation.Nobody(), HeartbeatMonitor.Observation.Active _ -> {}
                case HeartbeatMonitor.Observation.Ended(ControlHeartbeat heartbeat) -> {
                    say("the run has ended: " + heartbeat.ended());
                    return ExitCode.OK;
                }
                case HeartbeatMonitor.Observation.Gone(ControlHeartbeat heartbeat, String why) -> {
                    if (!isStillSo(heartbeat, sign)) {
                        continue;
                    }
                    Files.deleteIfExists(sign); // an active node is not a standby
                    Optional<ExitCode> ended = takeOver(heartbeat, why);
                    if (ended.isPresent()) {
                        return ended.get();
                    }
                    put(sign);
                    refused++;
                    if (refused > REFUSED_MAX) {
                        throw new CommandFailedException(
                                "the run in %s could not be taken over, %d times".formatted(directory, refused));
                    }
                    watch = new HeartbeatMonitor(silentAfter, System::nanoTime);
                }
            }
        }
        return ExitCode.OK;
    }

    /** Takes over the run; empty if another node was faster. */
    private Optional<ExitCode> takeOver(ControlHeartbeat gone, String why) throws IOException, InterruptedException {
        if (!Files.isRegularFile(directory.resolve(LocalRun.SETTINGS))) {
            LOG.warn("control node {} is gone before it has written the settings of the run: {}", gone.name(), why);
            return Optional.empty();
        }
        RunSettings settings = LocalRun.settingsOf(directory, overrides);
        if (settings.ledger().store() != LedgerSettings.Store.POSTGRESQL) {
            kill(gone);
        }
        say("takes over from %s at %s: %s".formatted(gone.name(), gone.address(), why));
        try {
            return Optional.of(LocalRun.resume(directory, overrides, environments, terminal));
        } catch (FollowedException other) {
            say("another control node was faster: " + ErrorReason.of(other));
            return Optional.empty();
        }
    }

    /**
     * Whether the node is still gone on this standby's turn. Standbys take turns by name: two at once would obstruct
     * each other.
     */
    private boolean isStillSo(ControlHeartbeat gone, Path sign) throws IOException, InterruptedException {
        long before;
        try (Stream<Path> signs = Files.list(directory.resolve(SIGNS))) {
            before = signs.filter(other -> other.compareTo(sign) < 0)
                    .map(ControlHeartbeat::readFrom)
                    .flatMap(Optional::stream)
                    .filter(other -> !other.isOfThisHost() || other.process().isPresent())
                    .count();
        }
        return !leaving.await(before * TURN.toMillis(), TimeUnit.MILLISECONDS)
                && ControlHeartbeat.read(directory)
                        .filter(now -> now.name().equals(gone.name()))
                        .isPresent();
    }

    private static void kill(ControlHeartbeat silent) throws InterruptedException {
        Optional<ProcessHandle> process = silent.process();
        if (process.isPresent()) {
            LOG.warn("control node {} is silent, its process {} is killed", silent.name(), silent.pid());
            var _ = process.get().destroyForcibly();
            try {
                process.get().onExit().get(KILLED_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException late) {
                LOG.warn("process {} has not ended within {} of its kill", silent.pid(), KILLED_WITHIN, late);
            } catch (ExecutionException e) {
                throw new IllegalStateException("the end of process " + silent.pid() + " cannot be awaited", e);
            }
        }
    }

    private void say(String line) {
        LOG.info("{}", line);
        Logging.terminal().say(line, terminal);
    }
}
