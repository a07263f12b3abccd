package darkroom.actors.workqueue;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.LearnerState;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.workqueue.LeaseTable.Lease;
import darkroom.actors.workqueue.LeaseTable.Station;
import darkroom.actors.workqueue.LeaseTable.Work;
import darkroom.tensors.TensorRef;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests each way in which a lease ends, with one worker of capacity 2 that has one lease. */
class LeaseTableTest {
    private static final int LEASE_TICKS = 3;

    private final LeaseTable<TrainUnit, Trained> table = new LeaseTable<>(LEASE_TICKS);
    private final ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker =
            TestInbox.<LeasedWorker.Command<TrainUnit, Trained>>create("worker").getRef();
    private final Work<TrainUnit, Trained> work = new Work<>(
            unit(), TestInbox.<WorkQueue.Reply<TrainUnit, Trained>>create().getRef());
    private LeaseId lease = new LeaseId(-1);

    private static TrainUnit unit() {
        TensorRef any = new TensorRef(1, "here", TensorRef.ElementType.FLOAT32, List.of(1), 0);
        LearnerState state = new LearnerState(0, any, any, any, any, any);
        return new TrainUnit.GradientBlock("run", 1, 0, 0, 0, state, List.of(List.of()), 1);
    }

    @BeforeEach
    void one_lease() {
        assertThat(heartbeat()).as("joins").isTrue();
        lease = table.lease(work, station()).lease();
        assertThat(table.free(station())).isOne();
    }

    private boolean heartbeat(LeaseId... leases) {
        return table.heartbeat(new WorkQueue.Heartbeat<>(worker, "one", 2, Set.of(leases)));
    }

    private Station<TrainUnit, Trained> station() {
        return requireNonNull(table.station(worker));
    }

    private Lease<TrainUnit, Trained> oldest() {
        return requireNonNull(table.oldest());
    }

    @Test
    void a_reported_lease_ends_and_frees_its_worker() {
        table.endLease(worker, lease);
        assertThat(table.isHeld(lease)).isFalse();
        assertThat(table.openUnit(lease)).as("until it is closed").isSameAs(work);
        assertThat(table.free(station())).isEqualTo(2);
    }

    /** WQ-5. */
    @Test
    void a_lease_that_is_taken_away_counts_until_its_worker_reports() {
        table.takeAway(oldest());
        assertThat(table.isHeld(lease)).isFalse();
        assertThat(table.openUnit(lease)).as("a late result counts").isSameAs(work);
        assertThat(table.free(station())).isOne();
        assertThat(heartbeat(lease)).isFalse();
        assertThat(table.free(station())).as("still busy").isOne();
        assertThat(heartbeat()).isFalse();
        assertThat(table.free(station())).as("works on nothing").isEqualTo(2);
    }

    /** WQ-3. */
    @Test
    void a_removed_worker_returns_the_leases_that_it_had() {
        assertThat(table.removeWorker(worker)).hasValueSatisfying(removed -> {
            assertThat(removed.station().name).isEqualTo("one");
            assertThat(removed.leases()).extracting(ended -> ended.id).containsExactly(lease);
        });
        assertThat(table.oldest()).isNull();
        assertThat(table.stations()).isEmpty();
        assertThat(table.openUnit(lease)).isSameAs(work);
        assertThat(table.removeWorker(worker)).isEmpty();
    }

    @Test
    void a_closed_unit_has_no_lease_and_its_worker_stays_busy_until_it_reports() {
        table.close(work);
        assertThat(table.isHeld(lease)).isFalse();
        assertThat(table.openUnit(lease)).isNull();
        assertThat(table.free(station())).isOne();
        table.endLease(worker, lease);
        assertThat(table.free(station())).isEqualTo(2);
    }

    /** WQ-3. */
    @Test
    void a_lease_expires_after_its_ticks_of_silence_and_a_heartbeat_that_names_it_renews_it() {
        for (int tick = 1; tick < LEASE_TICKS; tick++) {
            assertThat(table.tick()).isEmpty();
        }
        heartbeat(lease);
        for (int tick = 1; tick < LEASE_TICKS; tick++) {
            assertThat(table.tick()).isEmpty();
        }
        assertThat(table.tick()).containsExactly(oldest());
        assertThat(table.free(station())).as("a silent worker gets nothing").isZero();
        assertThat(table.olderThan(2 * LEASE_TICKS - 1)).containsExactly(oldest());
        assertThat(table.olderThan(2 * LEASE_TICKS)).isEmpty();
    }
}
