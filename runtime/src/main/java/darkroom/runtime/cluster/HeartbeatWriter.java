package darkroom.runtime.cluster;

import darkroom.runtime.report.Summary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the {@link ControlHeartbeat} of an active control node, from a dedicated thread. A node that finds another
 * node's heartbeat in place of its own was declared gone while it was stopped: its process ends at once, before it does
 * anything more.
 */
final class HeartbeatWriter implements AutoCloseable {
    static final Duration EVERY = Duration.ofMillis(500);
    private static final Logger LOG = LoggerFactory.getLogger(HeartbeatWriter.class);

    private final Path directory;
    private final Runnable followed;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private volatile ControlHeartbeat heartbeat;
    private volatile Summary.End.@Nullable Kind end;
    private volatile String ended = "";

    private HeartbeatWriter(Path directory, ControlHeartbeat first, Runnable followed) {
        this.directory = directory;
        this.heartbeat = first;
        this.followed = followed;
        this.thread = Thread.ofPlatform().daemon().name("control-beat").unstarted(this::keep);
    }

    /**
     * Starts the thread.
     *
     * @param directory of the run
     * @param followed called if another control node has taken over
     */
    static HeartbeatWriter start(Path directory, ControlHeartbeat first, Runnable followed) throws IOException {
        first.write(directory);
        HeartbeatWriter coordinator = new HeartbeatWriter(directory, first, followed);
        coordinator.thread.start();
        return coordinator;
    }

    private void keep() {
        boolean refused = false;
        try {
            while (!closing.await(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                if (isFollowed()) {
                    followed.run();
                    return;
                }
                try {
                    heartbeat = heartbeat.next();
                    heartbeat.write(directory);
                    refused = false;
                } catch (IOException e) {
                    if (!refused) { // twice per second is too often
                        LOG.warn("the heartbeat of this control node cannot be written into {}", directory, e);
                    }
                    refused = true;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether another control node is active. */
    boolean isFollowed() {
        Optional<ControlHeartbeat> there = ControlHeartbeat.read(directory);
        return there.isPresent() && !there.get().name().equals(heartbeat.name());
    }

    /** Writes the last heartbeat: no control node resumes the run. */
    void ended(Summary.End.Kind kind, String how) {
        ended = how;
        end = kind;
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Summary.End.Kind how = end;
        if (how != null && !isFollowed()) {
            try {
                heartbeat.endedBy(how, ended).write(directory);
            } catch (IOException e) {
                LOG.warn("the end of the run cannot be written for other control nodes", e);
            }
        }
    }
}
