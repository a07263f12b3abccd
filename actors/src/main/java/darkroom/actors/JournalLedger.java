package darkroom.actors;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * A ledger in the journal that the actor system is configured with.
 *
 * @param name of the ledger in the journal; two runs in one database have two names
 * @param line called before the journal is read, before each write and after it; what it throws is as if the database had
 *     gone at that moment
 */
public record JournalLedger(String name, Limits limits, Runnable line) implements Ledger {

    /** With a database that goes only by itself. */
    public JournalLedger(String name, Limits limits) {
        this(name, limits, () -> {});
    }

    /**
     * @param eventsQueuedMax events that wait to be written
     * @param eventsPerWriteMax events in one write, unless one message has more
     * @param writeAttemptsMax failures in a row before the run ends
     * @param pause between a failure and the next attempt
     * @param gather how long an event that nothing waits for may wait for others
     */
    public record Limits(
            int eventsQueuedMax, int eventsPerWriteMax, int writeAttemptsMax, Duration pause, Duration gather) {}

    @Override
    public Behavior<Command> writer(String run) {
        return RunLedger.create(run, PersistenceId.ofUniqueId(name), limits, line);
    }

    /** What an actor system needs besides a journal and a snapshot store: how events and snapshots become bytes. */
    public static Config serialization() {
        return ConfigFactory.parseResources(JournalLedger.class, "ledger.conf");
    }
}
