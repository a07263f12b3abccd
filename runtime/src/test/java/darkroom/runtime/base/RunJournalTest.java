package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerAudit;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.runtime.cluster.CommandProcess;
import darkroom.runtime.run.JournaledRun;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.PekkoConfig;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ledgers in real databases: a file, and a PostgreSQL server. */
final class RunJournalTest {
    private static final int EVERYTHING = Integer.MAX_VALUE;
    private static final RunEvent.End COMPLETED = new RunEvent.End.Completed();
    private static @Nullable EmbeddedPostgres postgres;

    @TempDir
    Path directory = Path.of("unset");

    @AfterAll
    static void stop() throws IOException {
        if (postgres != null) {
            postgres.close();
        }
    }

    private static synchronized EmbeddedPostgres postgres() throws IOException {
        if (postgres == null) {
            postgres = EmbeddedPostgres.builder().start();
        }
        return postgres;
    }

    private static LedgerSettings settings(LedgerSettings.Store store, String... more) throws IOException {
        List<String> overrides = new ArrayList<>(List.of("ledger.store=" + store));
        overrides.addAll(List.of(more));
        if (store == LedgerSettings.Store.POSTGRESQL) {
            overrides.add("ledger.url=\"jdbc:postgresql://localhost:%d/postgres\""
                    .formatted(postgres().getPort()));
            overrides.add("ledger.user=postgres");
        }
        return Recipes.load("embedded-demo", overrides).ledger();
    }

    private RunJournal open(LedgerSettings.Store store, String... more) throws IOException {
        return RunJournal.open(settings(store, more), directory, Map.of(RunJournal.PASSWORD, "postgres"));
    }

    private LedgerSnapshot read(LedgerSettings.Store store) throws IOException {
        try (RunJournal journal =
                RunJournal.reading(settings(store), directory, Map.of(RunJournal.PASSWORD, "postgres"))) {
            return journal.read();
        }
    }

    private static Map<ImageAddress, ScoreOutcome> recorded(LedgerSnapshot snapshot) {
        Map<ImageAddress, ScoreOutcome> outcomes = new HashMap<>();
        for (LedgerEvent event : snapshot.events()) {
            if (event instanceof LedgerEvent.SampleOutcome fate) {
                outcomes.put(new ImageAddress("run", fate.step(), fate.group(), fate.slot()), fate.outcome());
            }
        }
        return outcomes;
    }

    private static List<RunDigests> undisturbed(Map<ImageAddress, ScoreOutcome> recorded, Path other) throws Exception {
        LedgerSettings nowhere =
                Recipes.load("embedded-demo", List.of("ledger.store=none")).ledger();
        try (RunJournal journal = RunJournal.open(nowhere, other, Map.of());
                JournaledRun run = new JournaledRun(journal, JournaledRun.saying(recorded), EVERYTHING)) {
            assertThat(run.awaitEnd().end()).isEqualTo(COMPLETED);
            return run.digests;
        }
    }

    /** P-2, P-5, P-7, LG-1: the actor system ends in the middle of a step, several times. */
    @ParameterizedTest
    @EnumSource(names = {"FILE", "POSTGRESQL"})
    void a_run_that_is_killed_in_the_middle_of_steps_asks_about_no_recorded_image_again(LedgerSettings.Store store)
            throws Exception {
        Map<ImageAddress, ScoreOutcome> before = Map.of();
        for (int incarnation = 0; incarnation < 3; incarnation++) {
            try (RunJournal journal = open(store);
                    JournaledRun run = new JournaledRun(journal, JournaledRun.moody(incarnation), 9)) {
                int recordedBefore = before.size();
                run.awaitSilence();
                CommandProcess.until(
                        "more is recorded",
                        Duration.ofSeconds(30),
                        () -> recorded(journal.read()).size() > recordedBefore,
                        () -> "");
                run.end();
                assertNoneAgain(before.keySet(), run);
            }
            Map<ImageAddress, ScoreOutcome> now = recorded(read(store));
            assertThat(now).containsAllEntriesOf(before).hasSizeGreaterThan(before.size());
            before = now;
        }
        try (RunJournal journal = open(store);
                JournaledRun run = new JournaledRun(journal, JournaledRun.moody(99), EVERYTHING)) {
            assertThat(run.awaitEnd().end()).isEqualTo(COMPLETED);
            assertNoneAgain(before.keySet(), run);
            run.end();
            LedgerSnapshot snapshot = journal.read();
            assertThat(recorded(snapshot)).containsAllEntriesOf(before);
            assertThat(LedgerAudit.of(snapshot))
                    .isEqualTo(new LedgerAudit.Report(JournaledRun.STEPS, JournaledRun.STEPS, List.of()));
            assertThat(run.digests).isEqualTo(undisturbed(recorded(snapshot), directory));
        }
    }

    private static void assertNoneAgain(Set<ImageAddress> recorded, JournaledRun run) {
        Set<ImageAddress> again = new HashSet<>(run.asked.keySet());
        again.retainAll(recorded);
        assertThat(again).as("asked about again").isEmpty();
        assertThat(run.asked.values()).allMatch(times -> times == 1);
    }

    /** LG-2, RL-3: the journal itself refuses the writer that was superseded. */
    @ParameterizedTest
    @EnumSource(names = {"FILE", "POSTGRESQL"})
    void of_two_who_run_one_run_the_earlier_ends_and_writes_nothing_more(LedgerSettings.Store store) throws Exception {
        try (RunJournal journal = open(store);
                JournaledRun first = new JournaledRun(journal, JournaledRun.moody(1), 9)) {
            first.awaitSilence();
            try (JournaledRun second = new JournaledRun(journal, JournaledRun.moody(2), EVERYTHING)) {
                assertThat(second.awaitEnd().end()).isEqualTo(COMPLETED);
            }
            long written = journal.read().written();
            first.answerTheRest();
            assertThat(first.awaitEnd().end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("followed by writer 2");
            assertThat(journal.read().written()).isEqualTo(written);
            assertThat(LedgerAudit.of(journal.read()).findings()).isEmpty();
        }
    }

    /** P-9, LB-1: events in a snapshot are deleted from the journal, and read from the snapshot. */
    @ParameterizedTest
    @EnumSource(names = {"FILE", "POSTGRESQL"})
    void a_long_ledger_is_a_snapshot_and_what_came_after_it(LedgerSettings.Store store) throws Exception {
        int events = 3500;
        RunDigests start = new RunDigests("w", "o", "");
        try (RunJournal journal = open(store, "ledger.events-per-write-max=1")) {
            Ledger.Command[] writes = new Ledger.Command[events];
            Arrays.setAll(
                    writes,
                    i -> new Ledger.Write(
                            List.of(new LedgerEvent.SlotUnscored(i, 0, 0, "no mood", 1)), Optional.empty()));
            tellAll(journal, start, writes);
            LedgerSnapshot snapshot = journal.read();
            assertThat(snapshot.events()).hasSize(1 + events);
            assertThat(snapshot.written()).isEqualTo(1 + events);
            tellAll(journal, start);
            assertThat(journal.read().events().getLast()).isEqualTo(new LedgerEvent.RunOpened(2, 0, start));
            assertThat(journal.read().written()).isEqualTo(2 + events);
            assertThat(journal.pages()).isLessThan(3000);
        }
    }

    /** Opens the ledger, writes these commands one by one, and closes it. */
    private static void tellAll(RunJournal journal, RunDigests start, Ledger.Command... writes) throws Exception {
        CompletableFuture<Ledger.Answer> closed = new CompletableFuture<>();
        ActorSystem<Void> system = ActorSystem.create(
                Behaviors.setup(context -> {
                    ActorRef<Ledger.Answer> owner = context.spawnAnonymous(Behaviors.receiveMessage(answer -> {
                        if (!(answer instanceof Ledger.Opened)) {
                            closed.complete(answer);
                        }
                        return Behaviors.same();
                    }));
                    ActorRef<Ledger.Command> ledger =
                            context.spawnAnonymous(journal.ledger(() -> {}).writer("run"));
                    ledger.tell(new Ledger.Open(0, start, owner));
                    List.of(writes).forEach(ledger::tell);
                    ledger.tell(new Ledger.Close());
                    return Behaviors.empty();
                }),
                "ledger",
                journal.pekko().withFallback(PekkoConfig.alone()));
        assertThat(closed.get(100, TimeUnit.SECONDS)).isEqualTo(new Ledger.Closed());
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void a_file_belongs_to_one_process_and_the_second_is_told_so() throws Exception {
        try (RunJournal journal = open(LedgerSettings.Store.FILE)) {
            assertThat(journal.read().written()).isZero();
            Files.writeString(
                    directory.resolve(LocalRun.SETTINGS), Recipes.render(Recipes.load("embedded-demo", List.of())));
            try (CommandProcess show =
                    CommandProcess.start(directory, List.of("ledger", "show", directory.toString()))) {
                CommandProcess.Finished finished = show.await();
                assertThat(finished.code()).isEqualTo(ExitCode.FAILED.code());
                assertThat(finished.printed()).contains("is in use: another process is running this run");
            }
        }
    }

    @Test
    void a_database_that_is_not_there_is_named_and_its_password_is_not() {
        LedgerSettings nobody = Recipes.load(
                        "embedded-demo",
                        List.of(
                                "ledger.store=postgresql",
                                "ledger.url=\"jdbc:postgresql://localhost:1/none\"",
                                "ledger.write-timeout=1s"))
                .ledger();
        assertThatThrownBy(() -> RunJournal.open(nobody, directory, Map.of(RunJournal.PASSWORD, "s3cret")))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("ledger.url=jdbc:postgresql://localhost:1/none")
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void the_password_of_a_database_is_in_no_file_of_the_run() throws Exception {
        try (RunJournal journal = open(LedgerSettings.Store.POSTGRESQL)) {
            assertThat(journal.read().written()).isZero();
        }
        try (var files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactly(RunJournal.NAME_FILE);
        }
        assertThat(Files.readString(directory.resolve(RunJournal.NAME_FILE))).matches("[0-9a-f-]{36}\n");
    }
}
