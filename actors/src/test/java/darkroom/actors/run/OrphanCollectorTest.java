package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Device;
import darkroom.actors.device.HeldDevice;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests rollouts whose messages are lost. */
class OrphanCollectorTest {
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TensorRef weights = devices.learner(1).old();
    private final Prompt prompt = devices.prompt("row");
    private final long bytesBefore = store.bytesHeld();
    private final OrphanCollector collector = new OrphanCollector(store::release);
    private final HeldDevice<RolloutUnit, RolloutResult> device = new HeldDevice<>(devices.rollout(), 4);
    private final Device<RolloutUnit, RolloutResult> swept = collector.over(device);

    private CompletionStage<RolloutResult> begun(String run, int step) {
        return swept.perform(new RolloutUnit(
                run, 7, RolloutUnit.Purpose.TRAINING, step, 0, 2, new PolicyVersion(0), weights, prompt));
    }

    private long made(String run, int step) {
        long before = bytes();
        begun(run, step);
        device.letOneGo();
        return bytes() - before;
    }

    private long bytes() {
        return store.bytesHeld() - bytesBefore;
    }

    /** SW-1, SW-3. */
    @Test
    void results_of_steps_that_are_over_are_released_and_no_others() {
        made("run", 0);
        made("run", 1);
        long kept = made("run", 2) + made("other run", 0);
        collector.stepOver("run", 2);
        assertThat(bytes()).isEqualTo(kept).isPositive();
        collector.stepOver("run", 1);
        assertThat(bytes()).isEqualTo(kept);
    }

    /** SW-2, also where steps are completed in another order. */
    @Test
    void a_result_that_comes_after_its_step_is_released_at_once() {
        begun("run", 1);
        begun("run", 3);
        collector.stepOver("run", 3);
        collector.stepOver("run", 1);
        device.letOneGo();
        assertThat(bytes()).isZero();
        device.letOneGo();
        assertThat(bytes()).isPositive();
    }

    /** SW-1, SW-2: the device pool is no longer used. */
    @Test
    void a_closed_sweep_leaves_nothing_and_keeps_nothing() {
        made("run", 0);
        begun("other run", 5);
        collector.close();
        assertThat(bytes()).isZero();
        device.letOneGo();
        assertThat(bytes()).isZero();
    }

    /** SW-4, P-9. */
    @Test
    void of_too_many_runs_the_oldest_is_over() {
        List<Long> sizes = IntStream.range(0, OrphanCollector.RUNS_MAX)
                .mapToObj(run -> made("run-" + run, 0))
                .toList();
        long all = sizes.stream().mapToLong(Long::longValue).sum();
        assertThat(bytes()).isEqualTo(all);
        made("one more", 0);
        assertThat(bytes()).isEqualTo(all);
    }

    /** TS-4: a tensor that its owner has released is not released again, whichever tensor has its memory. */
    @Test
    void whoever_has_the_memory_of_what_was_released_keeps_it() {
        CompletableFuture<RolloutResult> generated = begun("run", 0).toCompletableFuture();
        device.letOneGo();
        TensorRef latent = generated.join().images().getFirst().latent();
        store.release(latent);
        TensorRef other = store.put(latent.type(), latent.shape(), bytes -> bytes.fill((byte) 1));
        collector.stepOver("run", 1);
        assertThat(store.read(other)).isNotNull();
        store.release(other);
        assertThat(bytes()).isZero();
    }
}
