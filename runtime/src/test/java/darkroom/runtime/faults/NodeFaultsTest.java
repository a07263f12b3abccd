package darkroom.runtime.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import darkroom.actors.device.Device;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.FaultSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.cluster.FaultPort;
import darkroom.runtime.cluster.StatusPage;
import darkroom.tensors.NetworkFaults;
import darkroom.tensors.TensorRef;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NodeFaultsTest {
    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private final NodeFaults faults = NodeFaults.of(new FaultSettings(true));

    private static FaultOrder order(FaultKind kind, double share, int count) {
        FaultOrder usual = FaultOrder.usual(kind);
        return new FaultOrder(
                kind, 0, share, usual.delayMillis(), usual.direction(), usual.peer(), usual.moment(), count);
    }

    private static DevicePool devicePool() {
        Device<ScoreUnit, ScoreOutcome> device = new Device<>() {
            @Override
            public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
                return CompletableFuture.completedFuture(new ScoreOutcome.Unscored("asked", 1));
            }

            @Override
            public void close() {}
        };
        return new DevicePool(List.of(), List.of(new DeviceSlot<>("reward-0", () -> device)), List.of());
    }

    private static Device<ScoreUnit, ScoreOutcome> scorerOf(DevicePool devicePool) {
        return devicePool.reward().getFirst().device().get();
    }

    private static ScoreUnit unit() {
        TensorRef picture = new TensorRef(1, "here", TensorRef.ElementType.UINT8, List.of(1, 1, 3), 0);
        return new ScoreUnit(
                new ImageAddress("run", 0, 0, 0), new Prompt("row", "Add", "add it", "", picture, null), picture);
    }

    @Test
    void a_node_that_obeys_no_orders_is_as_if_there_were_no_faults() throws IOException {
        NodeFaults none = NodeFaults.of(new FaultSettings(false));
        DevicePool devicePool = devicePool();
        InstantSource clock = InstantSource.fixed(NOON);
        assertThat(none.devicePool(devicePool)).isSameAs(devicePool);
        assertThat(none.clock(clock)).isSameAs(clock);
        assertThat(none.networkFaults()).isSameAs(NetworkFaults.FAULT_FREE);
        assertThat(none.scorers(List.of())).isEmpty();
        assertThatThrownBy(() -> none.inject(FaultOrder.usual(FaultKind.KILL)))
                .hasMessageContaining("faults.enabled=false");
    }

    @Test
    void messages_are_lost_spoiled_doubled_or_late_by_the_share_that_was_asked_for() throws IOException {
        NetworkFaults networkFaults = faults.networkFaults();
        assertThat(networkFaults.fate("anyone", 100)).isEqualTo(NetworkFaults.Fate.DELIVERED);
        assertThat(networkFaults.isFaultFree()).isTrue();
        int id = faults.inject(order(FaultKind.TENSOR_LOSS, 0.25, 0));
        assertThat(networkFaults.isFaultFree()).isFalse();
        long lost = IntStream.range(0, 4000)
                .filter(_ -> networkFaults.fate("anyone", 100) == NetworkFaults.Fate.LOST)
                .count();
        assertThat(lost).isBetween(800L, 1200L);
        assertThat(faults.list()).singleElement().satisfies(seen -> {
            assertThat(seen.hits()).isEqualTo(lost);
            assertThat(seen.active()).isTrue();
        });
        faults.heal(id);
        assertThat(networkFaults.fate("anyone", 100)).isEqualTo(NetworkFaults.Fate.DELIVERED);

        faults.inject(order(FaultKind.TENSOR_CORRUPT, 1, 0));
        assertThat(networkFaults.fate("anyone", 0))
                .as("there is nothing to spoil in a message without data")
                .isEqualTo(NetworkFaults.Fate.DELIVERED);
        assertThat(networkFaults.fate("anyone", 1)).isEqualTo(NetworkFaults.Fate.CORRUPTED);
        faults.heal(0);
        faults.inject(order(FaultKind.TENSOR_DUPLICATE, 1, 0));
        assertThat(networkFaults.fate("anyone", 0)).isEqualTo(NetworkFaults.Fate.TWICE);
        faults.heal(0);
        faults.inject(order(FaultKind.TENSOR_DELAY, 1, 0));
        assertThat(networkFaults.fate("anyone", 0)).isEqualTo(NetworkFaults.Fate.LATE);
    }

    @Test
    void an_actor_crashes_as_often_as_was_asked_for_and_a_hung_device_never_answers() throws IOException {
        Device<ScoreUnit, ScoreOutcome> scorer = scorerOf(faults.devicePool(devicePool()));
        assertThat(scorer.perform(unit()).toCompletableFuture()).isCompleted();
        faults.inject(order(FaultKind.CRASH_ACTOR, 1, 1));
        assertThatThrownBy(() -> scorer.perform(unit()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("injected crash");
        assertThat(scorer.perform(unit()).toCompletableFuture()).isCompleted();
        int id = faults.inject(order(FaultKind.HANG_DEVICE, 1, 0));
        CompletableFuture<ScoreOutcome> never = scorer.perform(unit()).toCompletableFuture();
        faults.heal(id);
        assertThat(never).isNotCompleted();
        assertThat(scorer.perform(unit()).toCompletableFuture()).isCompleted();
    }

    @Test
    void a_clock_jumps_and_comes_back() throws IOException {
        InstantSource clock = faults.clock(InstantSource.fixed(NOON));
        assertThat(clock.instant()).isEqualTo(NOON);
        faults.inject(order(FaultKind.CLOCK_JUMP, 1, 0));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(600));
        faults.heal(0);
        assertThat(clock.instant()).isEqualTo(NOON);
    }

    @Test
    void what_cannot_happen_here_is_refused_with_the_reason() {
        assertThatThrownBy(() -> faults.inject(FaultOrder.usual(FaultKind.JOIN_STORM)))
                .hasMessageContaining("darkroom chaos");
        assertThatThrownBy(() -> faults.inject(FaultOrder.usual(FaultKind.PARTITION)))
                .hasMessageContaining("in no cluster");
        assertThatThrownBy(() -> faults.inject(FaultOrder.usual(FaultKind.TORN_CHECKPOINT)))
                .hasMessageContaining("for a control node");
    }

    @Test
    void a_node_is_asked_at_its_status_page_and_says_what_came_of_it() throws IOException, InterruptedException {
        try (StatusPage page = StatusPage.open(0, () -> null, () -> null, faults);
                HttpClient http = HttpClient.newHttpClient()) {
            FaultPort port = FaultPort.at(http, page.url());
            int id = port.inject(order(FaultKind.SLOW_DEVICE, 1, 0));
            assertThat(port.list())
                    .extracting(NodeFaults.Seen::id, NodeFaults.Seen::kind, NodeFaults.Seen::active)
                    .containsExactly(tuple(id, FaultKind.SLOW_DEVICE, true));
            assertThat(port.heal(id)).extracting(NodeFaults.Seen::active).containsExactly(false);
            assertThatThrownBy(() -> port.inject(FaultOrder.usual(FaultKind.KILL_STORM)))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("happens to several processes");
        }
    }

    @Test
    void a_node_that_obeys_no_orders_says_how_it_would() throws IOException {
        try (StatusPage page = StatusPage.open(0, () -> null, () -> null, NodeFaults.NONE);
                HttpClient http = HttpClient.newHttpClient()) {
            assertThatThrownBy(() -> FaultPort.at(http, page.url()).list())
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("faults.enabled=true");
        }
    }

    @Test
    void an_order_is_the_same_after_its_way_as_json() throws IOException {
        for (FaultKind kind : FaultKind.values()) {
            FaultOrder order = FaultOrder.usual(kind);
            assertThat(StatusPage.JSON.readValue(StatusPage.JSON.writeValueAsString(order), FaultOrder.class))
                    .isEqualTo(order);
        }
        assertThat(Optional.of(FaultMoment.of("checkpoint"))).contains(FaultMoment.CHECKPOINT);
    }
}
