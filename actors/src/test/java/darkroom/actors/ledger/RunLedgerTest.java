package darkroom.actors.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests the writer of a ledger, over a journal that fails on request. */
class RunLedgerTest {
    private static final ActorTestKit KIT = ActorTestKit.create(
            "ledger",
            PersistenceTestKitPlugin.config()
                    .withFallback(PersistenceTestKitSnapshotPlugin.config())
                    .withFallback(JournalLedger.serialization())
                    .withFallback(ConfigFactory.load()));
    private static final PersistenceTestKit JOURNAL = PersistenceTestKit.create(KIT.system());
    private static final RunDigests START = LedgerSamples.DIGESTS;
    private static final Duration GATHER = Duration.ofMillis(300);
    private static int ledgers;

    private final String name = "ledger-" + ledgers++;
    private final TestProbe<Ledger.Answer> owner = KIT.createTestProbe();
    private final TestProbe<Ledger.Written> writer = KIT.createTestProbe();

    @AfterEach
    void clear() {
        JOURNAL.clearAll();
    }

    @AfterAll
    static void shutdown() {
        KIT.shutdownTestKit();
    }

    private ActorRef<Ledger.Command> ledger(int eventsQueuedMax) {
        JournalLedger.Limits limits = new JournalLedger.Limits(eventsQueuedMax, 16, 3, Duration.ofMillis(10), GATHER);
        return KIT.spawn(new JournalLedger(name, limits).writer("run"));
    }

    private ActorRef<Ledger.Command> opened() {
        ActorRef<Ledger.Command> ledger = ledger(1000);
        ledger.tell(new Ledger.Open(0, START, owner.getRef()));
        owner.expectMessageClass(Ledger.Opened.class);
        return ledger;
    }

    private void write(ActorRef<Ledger.Command> ledger, LedgerEvent event) {
        ledger.tell(new Ledger.Write(List.of(event), Optional.of(writer.getRef())));
    }

    private static LedgerEvent score(int slot) {
        return new LedgerEvent.SlotScored(0, 0, slot, 0.5, 1, 1, "s");
    }

    private List<LedgerEvent> persisted() {
        return JOURNAL.persistedInStorage(name).stream()
                .flatMap(page -> ((LedgerBatch) page).events().stream())
                .toList();
    }

    /** LG-1. */
    @Test
    void events_are_answered_in_the_order_in_which_they_were_told_once_they_are_written() {
        ActorRef<Ledger.Command> ledger = opened();
        List<LedgerEvent> told = new ArrayList<>();
        for (int slot = 0; slot < 100; slot++) {
            told.add(score(slot));
            write(ledger, score(slot));
        }
        List<LedgerEvent> answered = new ArrayList<>();
        while (answered.size() < told.size()) {
            Ledger.Written written = writer.receiveMessage();
            assertThat(persisted()).containsAll(written.events());
            answered.addAll(written.events());
        }
        assertThat(answered).isEqualTo(told);
        assertThat(persisted().subList(1, 101)).isEqualTo(told);
    }

    /** RL-1. */
    @Test
    void what_nothing_waits_for_is_written_together_and_an_urgent_event_takes_it_along_at_once() {
        ActorRef<Ledger.Command> ledger = opened();
        for (int slot = 0; slot < 5; slot++) {
            ledger.tell(new Ledger.Write(List.of(score(slot)), Optional.of(writer.getRef()), false));
        }
        writer.expectNoMessage(GATHER.dividedBy(3));
        ledger.tell(new Ledger.Write(List.of(score(5)), Optional.of(writer.getRef()), true));
        writer.receiveSeveralMessages(6);
        ledger.tell(new Ledger.Write(List.of(score(6)), Optional.of(writer.getRef()), false));
        ledger.tell(new Ledger.Write(List.of(score(7)), Optional.of(writer.getRef()), false));
        writer.receiveSeveralMessages(2);
        assertThat(JOURNAL.persistedInStorage(name))
                .extracting(page -> ((LedgerBatch) page).events().size())
                .containsExactly(1, 6, 2);
    }

    /** LG-1, LG-4: events sent before the end are written, and the next writer has them. */
    @Test
    void a_ledger_that_is_closed_has_all_that_was_told_and_is_read_by_the_next_writer() {
        ActorRef<Ledger.Command> ledger = opened();
        LedgerSamples.step(0).forEach(event -> ledger.tell(Ledger.Write.of(event)));
        ledger.tell(new Ledger.Close());
        owner.expectMessageClass(Ledger.Closed.class);
        ActorRef<Ledger.Command> next = ledger(1000);
        next.tell(new Ledger.Open(0, START, owner.getRef()));
        LedgerHistory history = owner.expectMessageClass(Ledger.Opened.class).history();
        assertThat(history.committed(0)).isPresent();
        assertThat(history.outcomes(0, 1)).hasSize(2);
        assertThat(persisted().getLast()).isEqualTo(new LedgerEvent.RunOpened(2, 0, START));
    }

    /** RL-2. */
    @Test
    void a_write_that_fails_is_done_again_and_nothing_is_written_twice() {
        ActorRef<Ledger.Command> ledger = opened();
        JOURNAL.failNextNPersisted(name, 2);
        for (int slot = 0; slot < 40; slot++) {
            write(ledger, score(slot));
        }
        writer.receiveSeveralMessages(40);
        List<LedgerEvent> expected = new ArrayList<>(List.of(new LedgerEvent.RunOpened(1, 0, START)));
        for (int slot = 0; slot < 40; slot++) {
            expected.add(score(slot));
        }
        assertThat(persisted()).isEqualTo(expected);
    }

    /** RL-2: failed before a write, after it with the answer lost, or while the journal is read. */
    @Test
    void a_database_that_goes_at_any_moment_has_every_event_once_and_in_order() {
        SplittableRandom chance = new SplittableRandom(5);
        AtomicInteger gone = new AtomicInteger();
        JournalLedger.Limits limits =
                new JournalLedger.Limits(1000, 4, 100, Duration.ofMillis(1), Duration.ofMillis(1));
        ActorRef<Ledger.Command> ledger = KIT.spawn(new JournalLedger(name, limits, () -> {
                    synchronized (chance) {
                        if (chance.nextInt(3) == 0) {
                            gone.incrementAndGet();
                            throw new LedgerException("gone");
                        }
                    }
                })
                .writer("run"));
        ledger.tell(new Ledger.Open(0, START, owner.getRef()));
        owner.expectMessageClass(Ledger.Opened.class);
        List<LedgerEvent> told = new ArrayList<>();
        for (int slot = 0; slot < 60; slot++) {
            told.add(score(slot));
            write(ledger, score(slot));
        }
        List<LedgerEvent> answered = new ArrayList<>();
        while (answered.size() < told.size()) {
            answered.addAll(writer.receiveMessage().events());
        }
        assertThat(answered).isEqualTo(told);
        assertThat(persisted().stream().filter(LedgerEvent.SlotScored.class::isInstance))
                .isEqualTo(told);
        assertThat(gone.get()).isGreaterThan(10);
    }

    /** RL-2, LG-3, P-4: retries are limited. */
    @Test
    void a_journal_that_keeps_failing_is_given_up_with_the_reason() {
        ActorRef<Ledger.Command> ledger = opened();
        JOURNAL.failNextNPersisted(name, 3);
        write(ledger, score(0));
        assertThat(owner.expectMessageClass(Ledger.Failed.class).message())
                .contains("run run", "3 times", "ledger.write-attempts-max=3");
        ledger.tell(new Ledger.Close());
        owner.expectMessageClass(Ledger.Closed.class);
        writer.expectNoMessage(Duration.ZERO);
    }

    /** LG-3, P-9: a full queue is reported. */
    @Test
    void what_does_not_fit_any_more_is_told_with_the_limit() {
        ActorRef<Ledger.Command> ledger = ledger(10);
        ledger.tell(new Ledger.Open(0, START, owner.getRef()));
        owner.expectMessageClass(Ledger.Opened.class);
        List<LedgerEvent> eleven = new ArrayList<>(LedgerSamples.step(0));
        eleven.add(score(0));
        assertThat(eleven).hasSizeGreaterThan(10);
        ledger.tell(new Ledger.Write(eleven, Optional.of(writer.getRef())));
        assertThat(owner.expectMessageClass(Ledger.Failed.class).message()).contains("ledger.events-queued-max=10");
    }

    /** RL-1. */
    @Test
    void what_waits_is_written_at_once() {
        ActorRef<Ledger.Command> ledger = ledger(1000);
        for (int slot = 0; slot < 40; slot++) {
            write(ledger, score(slot));
        }
        ledger.tell(new Ledger.Open(0, START, owner.getRef()));
        owner.expectMessageClass(Ledger.Opened.class);
        writer.receiveSeveralMessages(40);
        assertThat(JOURNAL.persistedInStorage(name).stream()
                        .map(page -> ((LedgerBatch) page).events().size()))
                .containsExactly(1, 16, 16, 8);
    }
}
