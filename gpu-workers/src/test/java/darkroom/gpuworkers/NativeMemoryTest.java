package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings;
import darkroom.config.RolloutSettings.Solver;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings.Objective;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.Torch;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.OffHeapTensorStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests that long runs need no more native memory than short ones. */
class NativeMemoryTest {
    private static final int WARM_UP = 200;
    private static final int STRETCHES = 5;

    /** Bytes that compilers and the collector may allocate during the test. */
    private static final long NOISE_BYTES = 256 << 10;

    static Stream<Arguments> settings() {
        return Stream.of(
                Arguments.of(
                        TorchRun.settings(7, rollout(Solver.DPM2), TorchRun.training(Objective.DIFFUSION_NFT, 0)),
                        1000),
                Arguments.of(
                        TorchRun.settings(7, rollout(Solver.EULER), TorchRun.training(Objective.DIFFUSION_NFT, 2)),
                        600),
                Arguments.of(
                        TorchRun.settings(7, rollout(Solver.SDE), TorchRun.training(Objective.FLOW_GRPO, 0)), 600));
    }

    private static RolloutSettings rollout(Solver solver) {
        int steps = solver == Solver.SDE ? 3 : 2; // the last one is not trained by Flow-GRPO
        return new RolloutSettings(1, 2, steps, RolloutSettings.Schedule.LINEAR, solver, 0.7, Precision.F32, 0);
    }

    /**
     * Bytes left behind by a fifth of the iterations: the median of five stretches. A leak occurs in every stretch; a
     * compiler allocates megabytes in one and frees them in another.
     */
    private static long growth(int iterations, Runnable iteration) {
        IntStream.range(0, WARM_UP).forEach(_ -> iteration.run());
        long[] growths = new long[STRETCHES];
        for (int stretch = 0; stretch < STRETCHES; stretch++) {
            long before = NativeMemory.bytes();
            IntStream.range(0, (iterations - WARM_UP) / STRETCHES).forEach(_ -> iteration.run());
            growths[stretch] = NativeMemory.bytes() - before;
        }
        Arrays.sort(growths);
        return growths[STRETCHES / 2];
    }

    /** Each iteration does a rollout with its own weights, computes a gradient, and updates. */
    @ParameterizedTest
    @MethodSource("settings")
    void thousands_of_training_iterations_leave_no_native_memory_behind(RunSettings settings, int iterations) {
        try (Loop loop = new Loop(settings)) {
            assertThat(growth(iterations, loop::iterate)).isLessThan(NOISE_BYTES);
            assertThat(loop.state.optimizerSteps()).isEqualTo(iterations);
            assertThat(loop.store.tensorsHeld())
                    .as("the prompt's source, and the learner")
                    .isEqualTo(1 + 5);
        }
    }

    /** The measure can fail: it detects 16 KiB per iteration, which is less than one gradient of the loop. */
    @Test
    void a_scope_that_is_never_closed_shows() {
        Torch.enterThread();
        try (TorchModule module = new TorchModule(DitScript.of(TorchRun.tiny().shape()) + SolverScript.of(false))) {
            assertThat(growth(2000, () -> TensorBuffer.floats(module.scope(), 4096)))
                    .isGreaterThan(NOISE_BYTES);
        }
    }

    @Test
    void calls_leave_nothing_in_the_manager_that_they_go_through() {
        Torch.enterThread();
        DitShape shape = TorchRun.tiny().shape();
        try (TorchModule module = new TorchModule(DitScript.of(shape) + SolverScript.of(false));
                NDManager owned = module.scope()) {
            TensorBuffer flat = TensorBuffer.floats(owned, shape.layout().size());
            List<Integer> held = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                try (NDManager scope = module.scope()) {
                    assertThat(module.call(scope, "prepared", flat.array())).hasSize(1);
                }
                held.add(module.arraysHeld());
            }
            assertThat(held).containsOnly(held.getFirst());
        }
    }

    /** Managers of a sampler or a workbench are capped. */
    @Test
    void a_capped_manager_refuses_what_would_leak_into_it() {
        Torch.enterThread();
        try (NDManager owned = NDManager.newBaseManager(ai.djl.Device.cpu(), "PyTorch")) {
            TensorBuffer kept = TensorBuffer.floats(owned, 4);
            owned.cap();
            assertThatThrownBy(() -> kept.array().add(1)).isInstanceOf(IllegalStateException.class);
        }
    }

    /** One rollout and one trainer device, without actors. */
    private static final class Loop implements AutoCloseable {
        private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 24);
        private final Prompt prompt = TorchRun.prompt(store, 1);
        private final RunSettings settings;
        private final TorchRolloutDevice rollout;
        private final TorchTrainerDevice trainer;
        private LearnerState state;
        private int step;

        Loop(RunSettings settings) {
            this.settings = settings;
            EmbeddedPolicy policy =
                    new EmbeddedPolicy(TorchRun.tiny(), settings.rollout(), settings.evaluation(), settings.training());
            rollout = new TorchRolloutDevice("rollout", policy, policy.rollout(), store);
            trainer = new TorchTrainerDevice("trainer", policy, policy.training(), 5, store);
            state = TorchRun.learner(policy, store, settings.seed());
        }

        void iterate() {
            RolloutUnit generate = new RolloutUnit(
                    "loop",
                    settings.seed(),
                    RolloutUnit.Purpose.TRAINING,
                    step,
                    0,
                    settings.rollout().imagesPerGroup(),
                    new PolicyVersion(step),
                    state.old(),
                    prompt);
            RolloutResult generated =
                    rollout.perform(generate).toCompletableFuture().join();
            List<TrainUnit.Sample> samples = new ArrayList<>();
            for (int slot = 0; slot < generate.slots(); slot++) {
                TrainingSample trainingSample =
                        new TrainingSample(0, slot, prompt, generated.images().get(slot), 0.3 * slot, 0.5 * slot - 1);
                samples.add(new TrainUnit.Sample(
                        trainingSample, slot % settings.rollout().solverSteps()));
            }
            Trained gradient = trained(new TrainUnit.GradientBlock(
                    "loop", settings.seed(), step, 0, 0, state, List.of(samples, samples), 2 * samples.size()));
            Trained updated = trained(new TrainUnit.UpdateUnit("loop", step, 0, state, gradient.tensors(), true));
            gradient.tensors().forEach(store::release);
            generated.tensors().forEach(store::release);
            state.tensors().forEach(store::release);
            state = ((Trained.Updated) updated).state();
            step++;
        }

        private Trained trained(TrainUnit unit) {
            return trainer.perform(unit).toCompletableFuture().join();
        }

        @Override
        public void close() {
            rollout.close();
            trainer.close();
        }
    }
}
