package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.config.LedgerSettings;
import darkroom.config.RunSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A control node that waits for the active one to be gone, and then goes on with the run: from its newest checkpoint and its
 * ledger, which has every score that was given.
 *
 * <p>The ledger elects. Whoever opens it becomes its writer, and the database refuses every other one (LG-2), so that a wrong
 * guess here costs time and nothing else. A ledger in a file is locked by its owner; an owner on this machine that is silent is
 * killed first, which also ends one that is stopped.
 */
final class Standby {
    private static final Logger LOG = LoggerFactory.getLogger(Standby.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(250);
    private static final String SIGNS = "standby";

    /** Longer than a standby needs to be seen as active. */
    private static final Duration TURN = Duration.ofSeconds(5);

    private static final int REFUSED_MAX = 20;
    private static final Duration KILLED_WITHIN = Duration.ofSeconds(5);

    private final Path directory;
    private final List<String> overrides;
    private final Ground.Opener grounds;
    private final PrintWriter terminal;
    private final CountDownLatch leaving = new CountDownLatch(1);

    /**
     * @param directory of the run; it may not be there yet
     * @param overrides settings of this node
     * @param grounds of the control node that this becomes
     */
    Standby(Path directory, List<String> overrides, Ground.Opener grounds, PrintWriter terminal) {
        this.directory = directory;
        this.overrides = List.copyOf(overrides);
        this.grounds = grounds;
        this.terminal = terminal;
    }

    /** Waits no longer. */
    void leave() {
        leaving.countDown();
    }

    /**
     * Returns when the run has ended, under this node or under another.
     *
     * @param silentAfter how long nothing is seen of the active node before it counts as gone
     */
    ExitCode run(Duration silentAfter) throws IOException, InterruptedException {
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
        ControlBeat.first(sign.getFileName().toString(), "").writeTo(sign);
    }

    /** Whether a standby waits for this run, as far as can be told: one of another machine is believed. */
    static boolean isThere(@Nullable Path directory) {
        if (directory == null) {
            return false;
        }
        try (Stream<Path> signs = Files.list(directory.resolve(SIGNS))) {
            return signs.map(ControlBeat::readFrom)
                    .flatMap(Optional::stream)
                    .anyMatch(sign -> !sign.isOfThisHost() || sign.process().isPresent());
        } catch (IOException none) {
            LOG.debug("{} has no standby", directory, none);
            return false;
        }
    }

    private ExitCode watch(Duration silentAfter, Path sign) throws IOException, InterruptedException {
        say("waits as standby for the control node of " + directory);
        WarmUpCommand.rehearse(); // what is loaded and compiled now is not when it is urgent
        BeatWatch watch = new BeatWatch(silentAfter, System::nanoTime);
        int refused = 0;
        while (!leaving.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
            Optional<ControlBeat> seen = ControlBeat.read(directory);
            Optional<Boolean> alive = seen.filter(ControlBeat::isOfThisHost)
                    .map(beat -> beat.process().isPresent());
            switch (watch.look(seen, alive)) {
                case BeatWatch.Sight.Nobody(), BeatWatch.Sight.Active _ -> {}
                case BeatWatch.Sight.Ended(ControlBeat beat) -> {
                    say("the run has ended: " + beat.ended());
                    return ExitCode.OK;
                }
                case BeatWatch.Sight.Gone(ControlBeat beat, String why) -> {
                    if (!isStillSo(beat, sign)) {
                        continue;
                    }
                    Files.deleteIfExists(sign); // who is active is no standby
                    Optional<ExitCode> ended = takeOver(beat, why);
                    if (ended.isPresent()) {
                        return ended.get();
                    }
                    put(sign);
                    refused++;
                    if (refused > REFUSED_MAX) {
                        throw new CommandFailedException(
                                "the run in %s was not to be had, %d times".formatted(directory, refused));
                    }
                    watch = new BeatWatch(silentAfter, System::nanoTime);
                }
            }
        }
        return ExitCode.OK;
    }

    /** Nothing if another one was faster. */
    private Optional<ExitCode> takeOver(ControlBeat gone, String why) throws IOException, InterruptedException {
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
            return Optional.of(LocalRun.resume(directory, overrides, grounds, terminal));
        } catch (FollowedException other) {
            say("another control node was faster: " + ErrorReason.of(other));
            return Optional.empty();
        }
    }

    /** Standbys go one after the other, by their names: two at once would only be in each other's way. */
    private boolean isStillSo(ControlBeat gone, Path sign) throws IOException, InterruptedException {
        long before;
        try (Stream<Path> signs = Files.list(directory.resolve(SIGNS))) {
            before = signs.filter(other -> other.compareTo(sign) < 0)
                    .map(ControlBeat::readFrom)
                    .flatMap(Optional::stream)
                    .filter(other -> !other.isOfThisHost() || other.process().isPresent())
                    .count();
        }
        return !leaving.await(before * TURN.toMillis(), TimeUnit.MILLISECONDS)
                && ControlBeat.read(directory)
                        .filter(now -> now.name().equals(gone.name()))
                        .isPresent();
    }

    private static void kill(ControlBeat silent) throws InterruptedException {
        Optional<ProcessHandle> process = silent.process();
        if (process.isPresent()) {
            LOG.warn("control node {} is silent, its process {} is killed", silent.name(), silent.pid());
            var _ = process.get().destroyForcibly();
            long until = System.nanoTime() + KILLED_WITHIN.toNanos();
            CountDownLatch never = new CountDownLatch(1);
            while (process.get().isAlive() && System.nanoTime() < until) {
                var _ = never.await(10, TimeUnit.MILLISECONDS);
            }
        }
    }

    private void say(String line) {
        LOG.info("{}", line);
        Logging.terminal().say(line, terminal);
    }
}
