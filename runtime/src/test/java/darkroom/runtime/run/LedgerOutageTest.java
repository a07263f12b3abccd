package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.LedgerAudit;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.runtime.base.BrokenLine;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.cluster.CommandProcess;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LG-1, LG-3: a database server that is unavailable for a while, and for too long. */
final class LedgerOutageTest {
    private static final int EVERYTHING = Integer.MAX_VALUE;
    private static final Map<String, String> PASSWORD = Map.of(RunJournal.PASSWORD, "postgres");

    @TempDir
    Path directory = Path.of("unset");

    private EmbeddedPostgres postgres;
    private BrokenLine line;

    @BeforeEach
    void start() throws IOException {
        postgres = EmbeddedPostgres.builder().start();
        line = BrokenLine.to(postgres.getPort());
    }

    @AfterEach
    void stop() throws IOException {
        line.close();
        postgres.close();
    }

    private LedgerSettings settings(int attempts) {
        return Recipes.load(
                        "embedded-demo",
                        List.of(
                                "ledger.store=postgresql",
                                "ledger.url=\"jdbc:postgresql://localhost:%d/postgres\"".formatted(line.port()),
                                "ledger.user=postgres",
                                "ledger.write-timeout=2s",
                                "ledger.write-attempts-max=" + attempts))
                .ledger();
    }

    private void awaitRefusals(int more) throws Exception {
        int before = line.refused();
        CommandProcess.until(
                "connections to the ledger are refused",
                Duration.ofSeconds(60),
                () -> line.refused() >= before + more,
                () -> "refused " + line.refused());
    }

    @Test
    void a_run_waits_for_its_ledger_and_goes_on_when_it_is_back() throws Exception {
        try (RunJournal journal = RunJournal.open(settings(60), directory, PASSWORD);
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(1), 9)) {
            run.awaitSilence();
            line.cut();
            run.answerTheRest();
            awaitRefusals(2);
            line.restore();
            assertThat(run.awaitEnd().end()).isEqualTo(new RunEvent.End.Completed());
            assertThat(run.asked.values()).as("asked about once").allMatch(times -> times == 1);
        }
        try (RunJournal journal = RunJournal.reading(settings(60), directory, PASSWORD)) {
            assertThat(LedgerAudit.of(journal.read()))
                    .isEqualTo(new LedgerAudit.Report(JournaledRun.STEPS, JournaledRun.STEPS, List.of()));
        }
    }

    @Test
    void a_ledger_that_stays_away_ends_the_run_which_loses_nothing_that_was_written() throws Exception {
        try (RunJournal journal = RunJournal.open(settings(2), directory, PASSWORD);
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(1), 9)) {
            run.awaitSilence();
            line.cut();
            run.answerTheRest();
            assertThat(run.awaitEnd().end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("the ledger", "ledger.write-attempts-max=2");
        }
        line.restore();
        try (RunJournal journal = RunJournal.open(settings(60), directory, PASSWORD);
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(2), EVERYTHING)) {
            assertThat(run.awaitEnd().end()).isEqualTo(new RunEvent.End.Completed());
            run.end();
            assertThat(LedgerAudit.of(journal.read()).findings()).isEmpty();
        }
    }
}
