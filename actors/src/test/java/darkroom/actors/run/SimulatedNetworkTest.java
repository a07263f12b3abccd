package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorLostException;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorTransferException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests that the simulated plane keeps the contract of {@link TensorPlane}: it replaces the one that carries bytes. */
class SimulatedNetworkTest {
    private static final Duration LATE = Duration.ofMillis(10);

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final AtomicBoolean allIsLost = new AtomicBoolean();
    private final SimulatedNetwork network = new SimulatedNetwork(
            world, new UnreliableWorkQueue.NetworkFaults(world.chance(), 0, 0.2, LATE, allIsLost::get));
    private final SimulatedTensorPlane here = join("here");
    private final SimulatedTensorPlane there = join("there");
    private final SimulatedTensorPlane far = join("far");

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private SimulatedTensorPlane join(String node) {
        SimulatedTensorPlane plane = network.join(node, new OffHeapTensorStore(node, 1 << 20));
        plane.peers(SimulatedNetwork.peers("here", "there", "far"));
        return plane;
    }

    private static TensorRef tensor(SimulatedTensorPlane on, int value) {
        return on.store().put(TensorRef.ElementType.UINT8, List.of(3), bytes -> bytes.fill((byte) value));
    }

    private static byte[] bytes(SimulatedTensorPlane on, TensorRef ref) {
        return on.store().read(ref).toArray(ValueLayout.JAVA_BYTE);
    }

    private static void assertFailedWith(CompletableFuture<?> stage, Class<? extends Throwable> failure) {
        assertThat(stage).isCompletedExceptionally();
        assertThatThrownBy(stage::join).isInstanceOf(CompletionException.class).hasCauseInstanceOf(failure);
    }

    @Test
    void what_is_brought_can_be_read_here_and_still_belongs_to_its_home() {
        TensorRef ref = tensor(there, 7);
        assertThatThrownBy(() -> bytes(here, ref)).isInstanceOf(TensorLostException.class);
        CompletableFuture<Void> brought = here.bring(List.of(ref)).toCompletableFuture();
        assertThat(brought).as("it takes time").isNotDone();
        world.pass(LATE.multipliedBy(2));
        assertThat(brought).isCompleted();
        assertThat(bytes(here, ref)).containsExactly(7, 7, 7);
        assertThat(here.own().bytesHeld()).isZero();
        assertThat(there.own().tensorsHeld()).isOne();
    }

    @Test
    void what_is_taken_over_is_owned_here_in_order_and_the_originals_are_released() {
        TensorRef own = tensor(here, 2);
        List<TensorRef> originals = List.of(tensor(there, 1), own, tensor(far, 3));
        CompletableFuture<List<TensorRef>> taken = here.adopt(originals).toCompletableFuture();
        world.pass(LATE.multipliedBy(4));
        assertThat(taken.join()).allMatch(ref -> ref.home().equals("here")).contains(own);
        assertThat(taken.join().stream().map(ref -> (int) bytes(here, ref)[0])).containsExactly(1, 2, 3);
        assertThat(here.own().tensorsHeld()).isEqualTo(3);
        assertThat(there.own().bytesHeld() + far.own().bytesHeld()).isZero();
    }

    @Test
    void where_one_tensor_cannot_be_taken_over_nothing_is() {
        List<TensorRef> originals = List.of(tensor(there, 1), tensor(here, 2), tensor(far, 3));
        network.die("far");
        CompletableFuture<List<TensorRef>> taken = here.adopt(originals).toCompletableFuture();
        world.pass(SimulatedTensorPlane.PEER_SILENT_AFTER.minusMillis(1));
        assertThat(taken).isNotDone();
        world.pass(Duration.ofMillis(1));
        assertFailedWith(taken, TensorTransferException.class);
        assertThat(here.own().tensorsHeld()).isOne();
        assertThat(there.own().tensorsHeld()).isOne();
    }

    @Test
    void a_tensor_of_a_node_off_the_roster_is_lost_at_once() {
        TensorRef ref = tensor(there, 1);
        here.peers(SimulatedNetwork.peers("here", "far"));
        assertFailedWith(here.bring(List.of(ref)).toCompletableFuture(), TensorLostException.class);
    }

    @Test
    void a_transfer_under_way_is_lost_when_its_node_goes_off_the_roster() {
        CompletableFuture<Void> brought = here.bring(List.of(tensor(there, 1))).toCompletableFuture();
        network.die("there");
        here.peers(SimulatedNetwork.peers("here", "far"));
        assertFailedWith(brought, TensorLostException.class);
    }

    @Test
    void a_tensor_that_its_home_has_released_is_lost() {
        TensorRef ref = tensor(there, 1);
        there.store().release(ref);
        CompletableFuture<Void> brought = here.bring(List.of(ref)).toCompletableFuture();
        world.pass(LATE.multipliedBy(2));
        assertFailedWith(brought, TensorLostException.class);
    }

    @Test
    void a_transfer_that_is_lost_fails_after_its_time_and_the_tensor_is_still_there() {
        TensorRef ref = tensor(there, 1);
        allIsLost.set(true);
        CompletableFuture<Void> brought = here.bring(List.of(ref)).toCompletableFuture();
        world.pass(SimulatedTensorPlane.TRANSFER_TIMEOUT.minusMillis(1));
        assertThat(brought).isNotDone();
        world.pass(Duration.ofMillis(1));
        assertFailedWith(brought, TensorTransferException.class);
        assertThat(there.own().tensorsHeld()).isOne();
    }

    @Test
    void releasing_a_tensor_of_another_node_tells_its_home() {
        TensorRef ref = tensor(there, 1);
        here.store().release(ref);
        assertThat(there.own().tensorsHeld()).isOne();
        world.pass(LATE);
        assertThat(there.own().tensorsHeld()).isZero();
    }
}
