package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.events.RunEvent;
import darkroom.config.Recipes;
import darkroom.runtime.base.BrokenLine;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.cluster.CommandProcess;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LG-1, LV-1: a ledger in PostgreSQL that is emptied before a run is resumed, or while it runs. */
final class LedgerLossTest {
    private static final String EMPTIED = "TRUNCATE event_journal, snapshot CASCADE";
    private static final String DROPPED = "DROP TABLE event_tag, event_journal, snapshot";

    private static EmbeddedPostgres postgres;

    @TempDir
    Path directory = Path.of("unset");

    private final StringWriter out = new StringWriter();

    @BeforeAll
    static void open() throws IOException {
        postgres = EmbeddedPostgres.builder().start();
    }

    @AfterAll
    static void close() throws IOException {
        postgres.close();
    }

    private static String url(int port) {
        return "jdbc:postgresql://localhost:" + port + "/postgres";
    }

    private static void execute(String statement) throws Exception {
        try (Connection connection = DriverManager.getConnection(url(postgres.getPort()), "postgres", "");
                Statement one = connection.createStatement()) {
            one.execute(statement);
        }
    }

    private static List<String> settings(int port, String... more) {
        List<String> all = new ArrayList<>(List.of(
                "ledger.store=postgresql",
                "ledger.url=\"" + url(port) + "\"",
                "ledger.user=postgres",
                "ledger.write-timeout=2s",
                "rollout.groups-per-step=2",
                "rollout.images-per-group=2",
                "groups.scored-min=2",
                "rollout.solver-steps=2",
                "training.unit-samples=2",
                "training.optimizer-steps=1",
                "evaluation.tasks=1",
                "evaluation.images-per-task=1",
                "evaluation.every-steps=0",
                "checkpoints.every-steps=1",
                "workers.rollout-devices=1",
                "workers.trainer-devices=1"));
        all.addAll(List.of(more));
        return all;
    }

    private ExitCode start(Path run, String... more) throws Exception {
        return LocalRun.start(
                Recipes.load("embedded-demo", settings(postgres.getPort(), more)), run, new PrintWriter(out));
    }

    private void assertRefused(Path run, String... texts) throws IOException {
        String settings = Files.readString(run.resolve(LocalRun.SETTINGS));
        assertThatThrownBy(() -> LocalRun.resume(run, List.of("steps=3"), new PrintWriter(out)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContainingAll("cannot be resumed with its ledger", "--set ledger.store=none")
                .hasMessageContaining(url(postgres.getPort()))
                .hasMessageContainingAll(texts);
        assertThat(Files.readString(run.resolve(LocalRun.SETTINGS)))
                .as("nothing is written")
                .isEqualTo(settings);
    }

    @Test
    void a_run_whose_database_was_emptied_is_refused_and_continues_without_it() throws Exception {
        Path run = directory.resolve("run");
        assertThat(start(run, "steps=2")).isEqualTo(ExitCode.OK);

        execute("DELETE FROM event_journal WHERE sequence_number = 1");
        assertRefused(run, "1 rows of its journal are missing", "ledger-id");
        execute(EMPTIED);
        assertRefused(run, "step-000002", "no committed step");
        execute(DROPPED);
        assertRefused(run, "step-000002", "no committed step");
        assertThatThrownBy(() -> LocalRun.ledgerOf(run))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContainingAll("has no ledger any more", "event_journal, snapshot", url(postgres.getPort()));

        assertThat(LocalRun.resume(run, List.of("steps=3", "ledger.store=none"), new PrintWriter(out)))
                .isEqualTo(ExitCode.OK);
        assertThat(LocalRun.resume(
                        run,
                        List.of(
                                "steps=4",
                                "ledger.store=postgresql",
                                "ledger.url=\"" + url(postgres.getPort()) + "\"",
                                "ledger.user=postgres"),
                        new PrintWriter(out)))
                .as("a run that had none begins one wherever it is")
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void a_run_whose_name_in_the_database_is_lost_is_refused() throws Exception {
        Path run = directory.resolve("run");
        assertThat(start(run, "steps=1")).isEqualTo(ExitCode.OK);
        Path name = run.resolve("ledger-id");
        String before = Files.readString(name);
        Files.writeString(name, "");
        assertRefused(run, "step-000001", "no committed step");
        Files.delete(name);
        assertRefused(run, "step-000001", "no committed step");
        assertThat(name).as("no new one is made").doesNotExist();
        Files.writeString(name, before);
        assertThat(LocalRun.resume(run, List.of("steps=2"), new PrintWriter(out)))
                .isEqualTo(ExitCode.OK);
    }

    /** The run does not end with a ledger that lacks its beginning. */
    @ParameterizedTest
    @ValueSource(strings = {EMPTIED, DROPPED})
    void a_run_whose_database_is_emptied_while_it_runs_fails_and_names_the_loss(String loss) throws Exception {
        Path run = directory.resolve("run");
        CompletableFuture<Throwable> end = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try {
                end.completeExceptionally(
                        new AssertionError("it ended with " + start(run, "steps=1000", "ledger.write-attempts-max=2")));
            } catch (Throwable failure) {
                end.complete(failure);
            }
        });
        CommandProcess.until(
                "a step is committed",
                Duration.ofSeconds(60),
                () -> Files.exists(run.resolve("metrics.jsonl"))
                        && !Files.readAllLines(run.resolve("metrics.jsonl")).isEmpty(),
                out::toString);
        execute(loss);
        assertThat(end.get(60, TimeUnit.SECONDS))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("the ledger")
                .hasMessageContaining("--resume " + run + " --set ledger.store=none (the ledger is gone");
    }

    @Test
    void rows_that_were_deleted_are_found_at_every_check_and_a_silent_server_is_not_a_loss() throws Exception {
        try (BrokenLine line = BrokenLine.to(postgres.getPort());
                RunJournal journal = RunJournal.open(
                        Recipes.load("embedded-demo", settings(line.port())).ledger(), directory, Map.of());
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(1), Integer.MAX_VALUE)) {
            assertThat(run.awaitEnd().end()).isEqualTo(new RunEvent.End.Completed());
            run.end();
            assertThat(journal.isThere()).isTrue();
            assertThatCode(() -> journal.requireThere(1)).doesNotThrowAnyException();
            line.cut();
            assertThat(journal.isThere()).as("nobody answers").isTrue();
            line.restore();
            execute("DELETE FROM event_journal WHERE sequence_number = (SELECT MAX(sequence_number) FROM"
                    + " event_journal)");
            assertThatThrownBy(() -> journal.requireThere(1))
                    .as("the end")
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContainingAll("the ledger in " + url(line.port()) + " is gone", "was written");
            execute("DELETE FROM event_journal WHERE sequence_number = 2");
            assertThat(journal.isThere()).isFalse();
            execute(EMPTIED);
            assertThatThrownBy(() -> journal.requireThere(1)).hasMessageContaining("it has none");
        }
    }
}
