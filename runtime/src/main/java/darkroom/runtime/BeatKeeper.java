package darkroom.runtime;

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
 * Keeps the {@link ControlBeat} of an active control node, from a thread that nothing else occupies. A node that finds another's beat
 * in the place of its own was given up while it was stopped: its process ends at once, before it does anything more.
 */
final class BeatKeeper implements AutoCloseable {
    static final Duration EVERY = Duration.ofMillis(500);
    private static final Logger LOG = LoggerFactory.getLogger(BeatKeeper.class);

    private final Path directory;
    private final Runnable followed;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private volatile ControlBeat beat;
    private volatile Summary.End.@Nullable Kind end;
    private volatile String ended = "";

    private BeatKeeper(Path directory, ControlBeat first, Runnable followed) {
        this.directory = directory;
        this.beat = first;
        this.followed = followed;
        this.thread = Thread.ofPlatform().daemon().name("control-beat").unstarted(this::keep);
    }

    /**
     * @param directory of the run
     * @param followed called if another control node has taken over
     */
    static BeatKeeper start(Path directory, ControlBeat first, Runnable followed) throws IOException {
        first.write(directory);
        BeatKeeper keeper = new BeatKeeper(directory, first, followed);
        keeper.thread.start();
        return keeper;
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
                    beat = beat.next();
                    beat.write(directory);
                    refused = false;
                } catch (IOException e) {
                    if (!refused) { // twice a second is too often
                        LOG.warn("the sign of life of this control node cannot be written into {}", directory, e);
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
        Optional<ControlBeat> there = ControlBeat.read(directory);
        return there.isPresent() && !there.get().name().equals(beat.name());
    }

    /** Said by the last beat: nobody is to go on with the run. */
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
                beat.endedBy(how, ended).write(directory);
            } catch (IOException e) {
                LOG.warn("the end of the run cannot be written for other control nodes", e);
            }
        }
    }
}
