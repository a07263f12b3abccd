package darkroom.config;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Storage of the ledger, from which a run is resumed exactly.
 *
 * @param store kind of ledger storage
 * @param url JDBC URL of the PostgreSQL database; unused by other stores
 * @param user database user; the password comes from the environment and is in no setting
 * @param eventsQueuedMax maximum number of events waiting to be written; one more ends the run
 * @param eventsPerWriteMax events in one transaction, unless one message has more
 * @param writeTimeout time limit of one database request
 * @param writeAttemptsMax consecutive failures of the database before the run ends
 */
public record LedgerSettings(
        Store store,
        String url,
        String user,
        int eventsQueuedMax,
        int eventsPerWriteMax,
        Duration writeTimeout,
        int writeAttemptsMax) {
    private static final String SCHEME = "jdbc:postgresql://";

    private static final String PORT =
            "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

    /** Several hosts are tried in turn. */
    private static final Pattern PLACE = Pattern.compile(Pattern.quote(SCHEME)
            + "(?:(?:[^/:?,\\[]+|\\[[0-9a-fA-F:.]+])(?::" + PORT + ")?(?:,|(?=/)))+/[^/?]+(?:\\?.*)?");

    public LedgerSettings {
        String lower = url.toLowerCase(Locale.ROOT);
        boolean secret = lower.contains("password") || lower.contains("user=") || lower.contains("@");
        Allowed.require(
                !secret && (url.isEmpty() ? store != Store.POSTGRESQL : url.startsWith(SCHEME)),
                "ledger.url",
                secret ? "(a URL with a user or a password)" : '"' + url + '"',
                "jdbc:postgresql://HOST:PORT/DATABASE with ledger.store=postgresql; the user is ledger.user, the"
                        + " password comes from DARKROOM_LEDGER_PASSWORD");
        Allowed.require(
                url.isEmpty() || PLACE.matcher(url).matches(),
                "ledger.url",
                '"' + url + '"',
                "jdbc:postgresql://HOST:PORT/DATABASE with a port up to 65535 and the name of a database");
        Allowed.whole("ledger.events-queued-max", eventsQueuedMax, 1, Integer.MAX_VALUE);
        Allowed.whole("ledger.events-per-write-max", eventsPerWriteMax, 1, 100_000);
        Allowed.duration("ledger.write-timeout", writeTimeout);
        Allowed.whole("ledger.write-attempts-max", writeAttemptsMax, 1, 1000);
    }

    /** Kind of ledger storage. */
    public enum Store {
        /** A database in one file of the run's directory. */
        FILE,
        /** A database server. */
        POSTGRESQL,
        /** No storage: a resumed run requests scores again. */
        NONE
    }
}
