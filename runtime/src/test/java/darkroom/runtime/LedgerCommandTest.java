package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.LedgerFormat;
import darkroom.config.Recipes;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.run.JournaledRun;
import darkroom.runtime.run.LocalRun;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Output of the ledger commands. */
final class LedgerCommandTest {
    @TempDir
    static Path directory = Path.of("unset");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void run() throws Exception {
        Files.writeString(
                directory.resolve(LocalRun.SETTINGS), Recipes.render(Recipes.load("embedded-demo", List.of())));
        try (RunJournal journal =
                        RunJournal.open(Recipes.load("embedded-demo", List.of()).ledger(), directory, Map.of());
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(5), Integer.MAX_VALUE)) {
            assertThat(run.awaitEnd().end()).isEqualTo(new RunEvent.End.Completed());
        }
    }

    private int execute(String... arguments) {
        return Darkroom.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void show_has_a_line_a_step_and_the_writers() {
        assertThat(execute("ledger", "show", directory.toString())).isZero();
        assertThat(out.toString()).contains("writer 1 began after 0 steps");
        assertThat(out.toString().lines().filter(line -> line.matches(" +[0-9]+ +12 .*")))
                .hasSize(JournaledRun.STEPS);
    }

    /** P-2. */
    @Test
    void audit_finds_nothing_in_the_ledger_of_a_run() {
        assertThat(execute("ledger", "audit", directory.toString())).isZero();
        assertThat(out.toString())
                .contains("4 committed steps, 4 of them slot by slot, 0 checkpoints: nothing is wrong");
    }

    /** LA-2: the audit finds a real fault. */
    @Test
    void audit_finds_a_score_that_somebody_deleted_in_the_database(@TempDir Path copy) throws Exception {
        for (String file : List.of("ledger.mv.db", LocalRun.SETTINGS)) {
            Files.copy(directory.resolve(file), copy.resolve(file));
        }
        try (Connection connection = DriverManager.getConnection("jdbc:h2:file:" + copy.resolve("ledger"));
                PreparedStatement all = connection.prepareStatement("SELECT \"sequence_number\", \"event_payload\""
                        + " FROM \"event_journal\" ORDER BY \"sequence_number\" DESC");
                PreparedStatement one = connection.prepareStatement(
                        "UPDATE \"event_journal\" SET \"event_payload\" = ? WHERE \"sequence_number\" = ?");
                ResultSet rows = all.executeQuery()) {
            String page = "";
            while (!page.contains("slot-scored") && rows.next()) {
                page = new String(rows.getBytes(2), StandardCharsets.UTF_8);
            }
            String altered = page.replaceFirst("(?m)^.*slot-scored.*$\n?", "");
            one.setBytes(1, altered.getBytes(StandardCharsets.UTF_8));
            one.setLong(2, rows.getLong(1));
            assertThat(one.executeUpdate()).isEqualTo(1);
        }
        assertThat(execute("ledger", "audit", copy.toString())).isEqualTo(ExitCode.FAILED.code());
        assertThat(out.toString()).contains("LA-2: step 3 group ").contains("1 findings");
    }

    @Test
    void export_writes_events_that_are_read_back_and_a_line_an_image(@TempDir Path there) throws Exception {
        Path events = there.resolve("events.jsonl");
        assertThat(execute("ledger", "export", directory.toString(), "--out", events.toString()))
                .isZero();
        assertThat(Files.readAllLines(events).stream().map(LedgerFormat::read)).hasSizeGreaterThan(48);

        assertThat(execute("ledger", "export", directory.toString(), "--format", "csv"))
                .isZero();
        List<String> lines = out.toString().lines().toList();
        assertThat(lines).hasSize(1 + JournaledRun.STEPS * 12);
        assertThat(lines.getFirst()).startsWith("step,group,slot,row,version,latent,pixels,score,");
        assertThat(lines.get(1)).startsWith("0,0,0,row-0,0,");
        assertThat(lines).anyMatch(line -> line.contains(",,,no mood,1,"));
    }

    @Test
    void a_run_without_a_ledger_is_told_so(@TempDir Path empty) throws Exception {
        Files.writeString(empty.resolve(LocalRun.SETTINGS), Recipes.render(Recipes.load("embedded-demo", List.of())));
        assertThat(execute("ledger", "show", empty.toString())).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("has no ledger");
    }
}
