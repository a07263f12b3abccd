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
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The database of a run's ledger: a file of the run's directory, or a server. Creates the tables, provides the
 * configuration with which an actor system writes to it, and reads it.
 */
public final class RunJournal implements AutoCloseable {
    /** Environment variable of the database password, which is in no setting, no file and no log. */
    public static final String PASSWORD = "DARKROOM_LEDGER_PASSWORD";

    /** File with the name of the run in a database of several runs, one line. */
    static final String NAME_FILE = "ledger-id";

    private static final String FILE = "ledger";
    private static final String FILE_SUFFIX = ".mv.db";
    private static final String NAME_IN_FILE = "run";
    private static final int H2_IN_USE = 90020;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration GATHER = Duration.ofMillis(50);
    private static final String DATABASE = "darkroom-ledger";

    private final LedgerSettings settings;
    private final String name;
    private final String url;
    private final String user;
    private final String password;
    private final @Nullable Path file;
    private final @Nullable Connection connection;

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
                check.on(journal.hasTables() ? journal.read() : LedgerSnapshot.empty());
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
        return new RunJournal(settings, directory, environment.getOrDefault(PASSWORD, ""), false);
    }

    /** Returns the location of a run's ledger, for display. */
    public static String where(LedgerSettings settings, Path directory) {
        return switch (settings.store()) {
            case NONE -> "ledger.store=none";
            case FILE -> directory.resolve(FILE + FILE_SUFFIX).toString();
            case POSTGRESQL -> "%s, under the name in %s".formatted(settings.url(), directory.resolve(NAME_FILE));
        };
    }

    private boolean hasTables() {
        try (ResultSet tables =
                Objects.requireNonNull(connection).getMetaData().getTables(null, null, "event_journal", null)) {
            return tables.next();
        } catch (SQLException e) {
            throw new CommandFailedException("the ledger cannot be read: " + plain(e));
        }
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

    private Connection connect(Path directory) {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        if (settings.store() == LedgerSettings.Store.POSTGRESQL) {
            timeouts().forEach(properties::setProperty);
        }
        try {
            return DriverManager.getConnection(url, properties);
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
        if (connection == null) {
            return;
        }
        String script = settings.store() == LedgerSettings.Store.FILE ? "ledger-h2.sql" : "ledger-postgresql.sql";
        try (InputStream in = Objects.requireNonNull(RunJournal.class.getResourceAsStream(script));
                Statement statement = connection.createStatement()) {
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

    /** Whether what is written can be read again: the file of a ledger in a file has not been deleted. */
    public boolean isThere() {
        return file == null || Files.exists(file);
    }

    /**
     * Checks that the ledger has not been deleted.
     *
     * @throws UncheckedIOException if the file of the ledger was deleted while the run writes to it
     */
    public void requireThere() {
        if (file != null && !Files.exists(file)) {
            throw RunDirectory.gone(file);
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
    public void close() {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new CommandFailedException("the ledger could not be closed: " + plain(e));
            }
        }
    }
}
