package darkroom.actors.ledger;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * A ledger in the journal that the actor system is configured with.
 *
 * @param name of the ledger in the journal; two runs in one database have two names
 * @param line called before the journal is read, before each write and after it; an exception from it acts as a database
 *     failure at that moment
 */
public record JournalLedger(String name, Limits limits, Runnable line) implements Ledger {

    /** Creates a ledger without an injected database failure. */
    public JournalLedger(String name, Limits limits) {
        this(name, limits, () -> {});
    }

    /**
     * Limits of a ledger's writer.
     *
     * @param eventsQueuedMax events that wait to be written
     * @param eventsPerWriteMax events in one write, unless one message has more
     * @param writeAttemptsMax failures in a row before the run ends
     * @param pause between a failure and the next attempt
     * @param gather maximum wait of a non-urgent event for others
     */
    public record Limits(
            int eventsQueuedMax, int eventsPerWriteMax, int writeAttemptsMax, Duration pause, Duration gather) {}

    @Override
    public Behavior<Command> writer(String run) {
        return RunLedger.create(run, PersistenceId.ofUniqueId(name), limits, line);
    }

    /**
     * Returns the settings that an actor system needs in addition to a journal and a snapshot store: the serializer of
     * events and snapshots.
     */
    public static Config serialization() {
        return ConfigFactory.parseResources(JournalLedger.class, "ledger.conf");
    }
}
