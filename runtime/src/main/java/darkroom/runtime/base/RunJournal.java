package darkroom.runtime.base;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import darkroom.actors.ledger.JournalLedger;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerFormat;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.config.ErrorReason;
import darkroom.config.LedgerSettings;
import darkroom.edittasks.datasets.OutputFile;
import darkroom.edittasks.pictures.FileFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database of a run's ledger: a file of the run's directory, or a server. Creates the tables, provides the
 * configuration with which an actor system writes to it, and reads it.
 */
public final class RunJournal implements AutoCloseable {
    /** Environment variable of the database password, which is in no setting, no file and no log. */
    public static final String PASSWORD = "DARKROOM_LEDGER_PASSWORD";

    private static final Logger LOG = LoggerFactory.getLogger(RunJournal.class);

    /** File with the name of the run in a database of several runs, one line. */
    static final String NAME_FILE = "ledger-id";

    private static final String FILE = "ledger";
    private static final String FILE_SUFFIX = ".mv.db";
    private static final String NAME_IN_FILE = "run";
    private static final List<String> TABLES = List.of("event_journal", "snapshot");
    private static final int H2_IN_USE = 90020;

    /** State of PostgreSQL for a table that does not exist. */
    private static final String UNDEFINED_TABLE = "42P01";

    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration GATHER = Duration.ofMillis(50);
    private static final String DATABASE = "darkroom-ledger";

    private final LedgerSettings settings;
    private final String name;
    private final String url;
    private final String user;
    private final String password;
    private final @Nullable Path file;

    /** Connection for reading and checks; replaced by a new one after a server has ended it. */
    private volatile @Nullable Connection connection;

    /** Highest row that a check has seen. */
    private long written;

    private RunJournal(LedgerSettings settings, Path directory, String password, boolean writing) {
        this.settings = settings;
        this.name = switch (settings.store()) {
            case NONE -> "";
            case FILE -> NAME_IN_FILE;
            case POSTGRESQL -> name(directory, writing);
        };
        this.url = switch (settings.store()) {
            case NONE -> "";
            case FILE ->
                "jdbc:h2:file:" + directory.toAbsolutePath().resolve(FILE)
                        + ";WRITE_DELAY=0;MAX_LENGTH_INPLACE_LOB=65536;DB_CLOSE_ON_EXIT=FALSE"
                        + (writing ? "" : ";IFEXISTS=TRUE");
            case POSTGRESQL -> settings.url();
        };
        this.file = settings.store() == LedgerSettings.Store.FILE ? directory.resolve(FILE + FILE_SUFFIX) : null;
        this.user = settings.store() == LedgerSettings.Store.POSTGRESQL ? settings.user() : "";
        this.password = settings.store() == LedgerSettings.Store.POSTGRESQL ? password : "";
        this.connection = settings.store() == LedgerSettings.Store.NONE ? null : connect(directory);
    }

    /**
     * Opens the ledger of a run that is about to write to it, and creates missing tables.
     *
     * @param directory directory of the run; it exists
     * @throws CommandFailedException if the database is unavailable; the message has the reason
     */
    public static RunJournal open(LedgerSettings settings, Path directory, Map<String, String> environment) {
        return open(settings, directory, environment, _ -> {});
    }

    /** Refuses a ledger before anything is written to it. */
    @FunctionalInterface
    public interface Check {
        /**
         * Checks a ledger and throws to refuse it.
         *
         * @param snapshot content of the ledger; empty if there is none: no file, an empty one, no name on the server,
         *     no tables
         */
        void on(LedgerSnapshot snapshot);
    }

    /**
     * Opens the ledger of a run that is about to write to it, after a check.
     *
     * @param check throws if the run must not use this ledger; nothing is created or changed then
     */
    public static RunJournal open(
            LedgerSettings settings, Path directory, Map<String, String> environment, Check check) {
        boolean missing = isMissing(settings, directory);
        if (missing) {
            check.on(LedgerSnapshot.empty());
        }
        RunJournal journal = new RunJournal(settings, directory, environment.getOrDefault(PASSWORD, ""), true);
        try {
            if (!missing) {
                boolean tables = journal.hasTables();
                if (tables) {
                    journal.requireAllRows(directory);
                }
                check.on(tables ? journal.read() : LedgerSnapshot.empty());
            }
            journal.makeTables();
            return journal;
        } catch (RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    private static boolean isMissing(LedgerSettings settings, Path directory) {
        Path file = directory.resolve(FILE + FILE_SUFFIX);
        return switch (settings.store()) {
            case NONE -> true;
            case FILE -> !Files.exists(file) || file.toFile().length() == 0;
            case POSTGRESQL -> !Files.exists(directory.resolve(NAME_FILE));
        };
    }

    /**
     * Opens the ledger of a run for reading.
     *
     * @throws CommandFailedException if the ledger does not exist, or the run is writing to its file now
     */
    public static RunJournal reading(LedgerSettings settings, Path directory, Map<String, String> environment) {
        if (isMissing(settings, directory)) {
            throw new CommandFailedException(
                    settings.store() == LedgerSettings.Store.NONE
                            ? "%s has no ledger, ledger.store=none".formatted(directory)
                            : "%s has no ledger any more: its settings say ledger.store=%s, and there is nothing in %s"
                                    .formatted(
                                            directory,
                                            settings.store().toString().toLowerCase(Locale.ROOT),
                                            where(settings, directory)),
                    ExitCode.USAGE);
        }
        RunJournal journal = new RunJournal(settings, directory, environment.getOrDefault(PASSWORD, ""), false);
        try {
            if (!journal.hasTables()) {
                throw new CommandFailedException(
                        "%s has no ledger any more: %s has no tables of a ledger (%s). It was emptied, or is another database."
                                .formatted(directory, where(settings, directory), String.join(", ", TABLES)),
                        ExitCode.USAGE);
            }
            return journal;
        } catch (RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    /** Refuses a ledger from which rows were deleted: the run would go on without what they recorded. */
    private void requireAllRows(Path directory) {
        try {
            Optional<String> missing = missingRows(Objects.requireNonNull(connection), 0);
            if (missing.isPresent()) {
                throw new CommandFailedException(
                        """
                        %s cannot be resumed with its ledger: %s.
                          The ledger is %s. Rows of it were deleted.
                          Put them back. To continue without a ledger, asking for scores again: darkroom train --resume %s --set ledger.store=none
                          To begin another ledger after that, delete %s first.\
                        """.formatted(
                                        directory,
                                        missing.get(),
                                        where(settings, directory),
                                        directory,
                                        file == null ? directory.resolve(NAME_FILE) : file),
                        ExitCode.USAGE);
            }
        } catch (SQLException e) {
            throw new CommandFailedException("the ledger cannot be read: " + plain(e));
        }
    }

    /** Returns the location of a run's ledger, for display. */
    public static String where(LedgerSettings settings, Path directory) {
        return switch (settings.store()) {
            case NONE -> "ledger.store=none";
            case FILE -> directory.resolve(FILE + FILE_SUFFIX).toString();
            case POSTGRESQL -> "%s, under the name in %s".formatted(settings.url(), directory.resolve(NAME_FILE));
        };
    }

    /** Whether all tables of a ledger are in the schema that this connection uses. */
    private boolean hasTables() {
        try {
            Connection open = Objects.requireNonNull(connection);
            for (String table : TABLES) {
                try (ResultSet found = open.getMetaData().getTables(open.getCatalog(), open.getSchema(), table, null)) {
                    if (!found.next()) {
                        return false;
                    }
                }
            }
            return true;
        } catch (SQLException e) {
            throw new CommandFailedException("the ledger cannot be read: " + plain(e));
        }
    }

    /**
     * Returns which rows of the ledger are missing. The journal numbers its rows from 1 without gaps; only those that a
     * snapshot covers may be deleted.
     *
     * @param least highest number that is known to have been written
     * @return empty if no row is missing
     */
    private Optional<String> missingRows(Connection open, long least) throws SQLException {
        try (PreparedStatement query = open.prepareStatement("""
            WITH covered AS (
              SELECT COALESCE(MAX("sequence_number"), 0) AS n FROM "snapshot" WHERE "persistence_id" = ?)
            SELECT (SELECT n FROM covered), COUNT(*), COALESCE(MIN("sequence_number"), 0),
              COALESCE(MAX("sequence_number"), 0)
            FROM "event_journal" WHERE "persistence_id" = ? AND "deleted" = FALSE
              AND "sequence_number" > (SELECT n FROM covered)\
            """)) {
            query.setString(1, name);
            query.setString(2, name);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                long covered = row.getLong(1);
                long rows = row.getLong(2);
                long last = Math.max(covered, row.getLong(4));
                if (last < least) {
                    return Optional.of("row %d of its journal was written, and it has %s"
                            .formatted(least, last == 0 ? "none" : "rows up to " + last));
                }
                if (rows != last - covered) {
                    return Optional.of("%d rows of its journal are missing, before or after row %d"
                            .formatted(last - covered - rows, row.getLong(3)));
                }
                written = last;
                return Optional.empty();
            }
        }
    }

    /**
     * Returns what the server no longer has of a ledger that the run writes to.
     *
     * @param least number of a row that has been written for certain; 0 for none
     * @return empty if nothing is missing, or if the server does not answer: the writer of the ledger waits for it, at
     *     most {@code ledger.write-attempts-max} times
     */
    private synchronized Optional<String> lostByServer(long least) {
        try {
            return missingRows(alive(), Math.max(least, written));
        } catch (SQLException e) {
            if (UNDEFINED_TABLE.equals(e.getSQLState())) {
                return Optional.of(plain(e).lines().findFirst().orElse("its tables are gone"));
            }
            LOG.warn("the ledger cannot be checked: {}", plain(e));
            return Optional.empty();
        }
    }

    /** Returns the connection, or a new one in its place if the server has ended it: it was restarted, or out of reach. */
    private Connection alive() throws SQLException {
        Connection open = Objects.requireNonNull(connection);
        int seconds = (int) Math.max(1, settings.writeTimeout().toSeconds());
        if (open.isValid(seconds)) {
            return open;
        }
        Connection fresh = DriverManager.getConnection(url, properties());
        connection = fresh;
        open.close();
        return fresh;
    }

    /** Returns the message of a database without its advice about its own tools and without its codes. */
    private static String plain(SQLException e) {
        return String.valueOf(e.getMessage())
                .replaceFirst("(?s)[.;]? *Possible solution.*?(?=;|\\[|$)", "")
                .replaceFirst("(?s); SQL statement:.*$", "")
                .replaceFirst(" *\\[\\d+-\\d+]\\s*$", "")
                .strip();
    }

    private static String name(Path directory, boolean writing) {
        Path file = directory.resolve(NAME_FILE);
        try {
            if (!Files.exists(file) && writing) {
                OutputFile.write(file, UUID.randomUUID() + "\n");
            }
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new CommandFailedException(
                    "%s cannot be written or read: %s".formatted(file, FileFault.reason(e, file)));
        }
    }

    private Properties properties() {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        if (settings.store() == LedgerSettings.Store.POSTGRESQL) {
            timeouts().forEach(properties::setProperty);
        }
        return properties;
    }

    private Connection connect(Path directory) {
        try {
            return DriverManager.getConnection(url, properties());
        } catch (SQLException e) {
            if (e.getErrorCode() == H2_IN_USE) {
                throw new FollowedException(
                        "the ledger of %s is in use: another process is running this run. Wait for it, or stop it"
                                .formatted(directory));
            }
            throw new CommandFailedException(
                    settings.store() == LedgerSettings.Store.FILE
                            ? "%s cannot be opened as a ledger, it is damaged or no ledger: %s.%n  Put a copy of it back. To continue without it, asking for scores again: darkroom train --resume %s --set ledger.store=none"
                                    .formatted(where(settings, directory), plain(e), directory)
                            : "the ledger of %s cannot be opened, ledger.store=postgresql ledger.url=%s: %s"
                                    .formatted(directory, settings.url(), plain(e)));
        }
    }

    /** Returns timeouts in seconds, as the PostgreSQL driver requires. */
    private Map<String, String> timeouts() {
        String seconds = Long.toString(Math.max(1, settings.writeTimeout().toSeconds()));
        return Map.of("loginTimeout", seconds, "connectTimeout", seconds, "socketTimeout", seconds);
    }

    private void makeTables() {
        Connection open = connection;
        if (open == null) {
            return;
        }
        String script = settings.store() == LedgerSettings.Store.FILE ? "ledger-h2.sql" : "ledger-postgresql.sql";
        try (InputStream in = Objects.requireNonNull(RunJournal.class.getResourceAsStream(script));
                Statement statement = open.createStatement()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String one : text.replaceAll("(?m)^--.*$", "").split(";")) {
                statement.execute(one);
            }
        } catch (SQLException | IOException e) {
            throw new CommandFailedException("the tables of the ledger cannot be made: "
                    + (e instanceof SQLException sql ? plain(sql) : ErrorReason.of(e)));
        }
    }

    /**
     * Returns the ledger that the run writes to.
     *
     * @param line see {@link JournalLedger}
     */
    public Ledger ledger(Runnable line) {
        return settings.store() == LedgerSettings.Store.NONE
                ? Ledger.NONE
                : new JournalLedger(
                        name,
                        new JournalLedger.Limits(
                                settings.eventsQueuedMax(),
                                settings.eventsPerWriteMax(),
                                settings.writeAttemptsMax(),
                                PAUSE,
                                GATHER),
                        line);
    }

    /**
     * Whether what is written can be read again: the file of a ledger in a file has not been deleted, and a server has all
     * rows, or does not answer.
     */
    public boolean isThere() {
        return switch (settings.store()) {
            case NONE -> true;
            case FILE -> Files.exists(Objects.requireNonNull(file));
            case POSTGRESQL -> lostByServer(0).isEmpty();
        };
    }

    /**
     * Checks that the ledger has not been deleted. On a server this takes a query.
     *
     * @param least number of rows that have been written for certain: 1 after a committed step; 0 if none may have been
     * @throws UncheckedIOException if the file, the tables or rows of the ledger were deleted while the run writes to it
     */
    public void requireThere(long least) {
        if (file != null && !Files.exists(file)) {
            throw RunDirectory.gone(file);
        }
        if (settings.store() == LedgerSettings.Store.POSTGRESQL) {
            lostByServer(least).ifPresent(lost -> {
                String message =
                        "the ledger in %s is gone: %s. It was emptied while the run writes to it".formatted(url, lost);
                throw new UncheckedIOException(message, new IOException(message));
            });
        }
    }

    /**
     * Returns when everything written is on the disk. A server forces each write itself; a ledger in a file is forced
     * before each checkpoint, so that no power cut leaves a checkpoint that its ledger does not have.
     */
    public void force() {
        if (file == null) {
            return;
        }
        try (Statement statement = Objects.requireNonNull(connection).createStatement()) {
            statement.execute("CHECKPOINT SYNC");
        } catch (SQLException e) {
            throw new UncheckedIOException(
                    "%s cannot be forced to the disk: %s".formatted(file, plain(e)), new IOException(e));
        }
    }

    /** Returns the configuration of an actor system with this ledger, which takes precedence over everything else. */
    public Config pekko() {
        if (connection == null) {
            return ConfigFactory.empty();
        }
        boolean file = settings.store() == LedgerSettings.Store.FILE;
        long millis = settings.writeTimeout().toMillis();
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("pekko.persistence.journal.plugin", "jdbc-journal");
        values.put("pekko.persistence.snapshot-store.plugin", "jdbc-snapshot-store");
        for (String plugin : new String[] {"jdbc-journal", "jdbc-snapshot-store"}) {
            values.put(plugin + ".use-shared-db", DATABASE);
            values.put(plugin + ".circuit-breaker.call-timeout", millis + "ms");
            values.put(plugin + ".circuit-breaker.reset-timeout", PAUSE.toMillis() + "ms");
        }
        values.put("jdbc-journal.replay-filter.mode", "fail");
        values.put("jdbc-journal.recovery-event-timeout", millis + "ms");
        String database = "pekko-persistence-jdbc.shared-databases." + DATABASE + ".";
        values.put(database + "profile", file ? "slick.jdbc.H2Profile$" : "slick.jdbc.PostgresProfile$");
        String db = database + "db.";
        values.put(db + "url", url);
        values.put(db + "user", user);
        values.put(db + "password", password);
        values.put(db + "driver", file ? "org.h2.Driver" : "org.postgresql.Driver");
        values.put(db + "connectionPool", "HikariCP");
        values.put(db + "poolName", DATABASE);
        values.put(db + "numThreads", 2);
        values.put(db + "maxConnections", 2);
        values.put(db + "minConnections", 1);
        values.put(db + "queueSize", 1000);
        values.put(db + "connectionTimeout", Math.max(250, millis));
        if (!file) {
            timeouts().forEach((key, value) -> values.put(db + "properties." + key, value));
        }
        return ConfigFactory.parseMap(values).withFallback(JournalLedger.serialization());
    }

    /**
     * Reads the whole ledger.
     *
     * @throws darkroom.actors.ledger.LedgerException if an event cannot be read
     */
    public LedgerSnapshot read() {
        Connection open = Objects.requireNonNull(connection);
        try {
            LedgerSnapshot snapshot = LedgerSnapshot.empty();
            long from = 0;
            try (PreparedStatement query = open.prepareStatement(
                    "SELECT \"sequence_number\", \"snapshot_payload\" FROM \"snapshot\" WHERE \"persistence_id\" = ?"
                            + " ORDER BY \"sequence_number\" DESC LIMIT 1")) {
                query.setString(1, name);
                try (ResultSet rows = query.executeQuery()) {
                    if (rows.next()) {
                        from = rows.getLong(1);
                        snapshot = LedgerFormat.readSnapshot(text(rows));
                    }
                }
            }
            try (PreparedStatement query = open.prepareStatement(
                    "SELECT \"sequence_number\", \"event_payload\" FROM \"event_journal\" WHERE \"persistence_id\" = ?"
                            + " AND \"sequence_number\" > ? AND \"deleted\" = FALSE ORDER BY \"sequence_number\"")) {
                query.setString(1, name);
                query.setLong(2, from);
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        for (LedgerEvent event : LedgerFormat.readLines(text(rows))) {
                            snapshot = snapshot.with(event);
                        }
                    }
                }
            }
            return snapshot;
        } catch (SQLException e) {
            throw new CommandFailedException("the ledger cannot be read: " + plain(e));
        }
    }

    /** Returns the number of rows in the journal; rows that snapshots cover are deleted. */
    public long pages() {
        try (PreparedStatement query = Objects.requireNonNull(connection)
                .prepareStatement("SELECT COUNT(*) FROM \"event_journal\" WHERE \"persistence_id\" = ?")) {
            query.setString(1, name);
            try (ResultSet rows = query.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        } catch (SQLException e) {
            throw new CommandFailedException("the ledger cannot be read: " + plain(e));
        }
    }

    private static String text(ResultSet rows) throws SQLException {
        return new String(rows.getBytes(2), StandardCharsets.UTF_8);
    }

    @Override
    public synchronized void close() {
        Connection open = connection;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                throw new CommandFailedException("the ledger could not be closed: " + plain(e));
            }
        }
    }
}
