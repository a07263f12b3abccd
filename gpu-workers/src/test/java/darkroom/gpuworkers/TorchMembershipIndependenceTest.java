package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings.Solver;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings;
import darkroom.config.TrainingSettings.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Promise P-1 on PyTorch: bit-equal weights, optimizer and decisions on any devices. */
class TorchMembershipIndependenceTest {
    private static final int STEPS = 2;
    private static final int CHAOS_SEEDS = 20;

    private static final RunSettings NFT =
            TorchRun.settings(7, Solver.EULER, Precision.F32, 0, TorchRun.training(Objective.DIFFUSION_NFT, 0));

    static Stream<RunSettings> settings() {
        return Stream.of(
                TorchRun.settings(7, Solver.DPM2, Precision.F32, 1, TorchRun.training(Objective.DIFFUSION_NFT, 0)),
                TorchRun.settings(7, Solver.DPM2, Precision.BF16, 1, TorchRun.training(Objective.DIFFUSION_NFT, 2)),
                TorchRun.settings(
                        7,
                        Solver.DPM2,
                        Precision.BF16,
                        0,
                        TorchRun.training(Objective.DIFFUSION_NFT, 0, 6, Precision.BF16)),
                TorchRun.settings(7, Solver.SDE, Precision.BF16, 0, TorchRun.training(Objective.FLOW_GRPO, 0)));
    }

    private static List<RunDigests> digests(RunSettings settings, int rolloutDevices, int trainerDevices) {
        try (TorchRun run = new TorchRun(settings).with(rolloutDevices, trainerDevices, TorchRun.Mishaps.NONE)) {
            assertThat(run.run(STEPS).end()).isEqualTo(new RunEvent.End.Completed());
            assertThat(run.digests).hasSize(STEPS).doesNotHaveDuplicates();
            return run.digests;
        }
    }

    @Test
    void any_number_of_devices_makes_the_same_bits() {
        List<RunDigests> expected = digests(NFT, 1, 1);
        for (int rolloutDevices : List.of(1, 2, 3, 5)) {
            for (int trainerDevices : List.of(1, 2, 3)) {
                assertThat(digests(NFT, rolloutDevices, trainerDevices))
                        .as("%d rollout and %d trainer devices", rolloutDevices, trainerDevices)
                        .isEqualTo(expected);
            }
        }
    }

    /** TR-2, on tensors: the last block is whole, short, or the only one. */
    @ParameterizedTest
    @MethodSource("settings")
    void blocks_of_gradient_units_make_the_same_bits(RunSettings settings) {
        try (TorchRun run = new TorchRun(settings)) {
            for (int leaves : List.of(1, 2, 3, 5, 7, 8, 11)) {
                List<List<Byte>> expected = run.learnedInBlocks(leaves, 1);
                for (int block : List.of(2, 4, 8, 16)) {
                    assertThat(run.learnedInBlocks(leaves, block))
                            .as("%d leaves in blocks of %d", leaves, block)
                            .isEqualTo(expected);
                }
            }
        }
    }

    /** P-1, TR-2. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void gradient_units_leased_in_blocks_make_the_same_run(int unitsPerLease) {
        TrainingSettings fine = TorchRun.training(Objective.DIFFUSION_NFT, 0, 1);
        RunSettings singly = TorchRun.settings(7, Solver.EULER, Precision.F32, 0, fine);
        RunSettings inBlocks = TorchRun.leasing(singly, unitsPerLease);
        assertThat(digests(inBlocks, 2, 2)).isEqualTo(digests(singly, 1, 1));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void every_objective_solver_and_precision_keeps_the_promise(RunSettings settings) {
        assertThat(digests(settings, 5, 3)).isEqualTo(digests(settings, 1, 1));
    }

    /** {@code training.precision=bf16} rounds, and does nothing else. */
    @ParameterizedTest
    @EnumSource(Objective.class)
    void a_gradient_in_bfloat16_points_where_that_in_float32_does(Objective objective) {
        Solver solver = objective == Objective.FLOW_GRPO ? Solver.SDE : Solver.EULER;
        List<float[]> gradients = new ArrayList<>();
        for (Precision precision : List.of(Precision.F32, Precision.BF16)) {
            TrainingSettings training = TorchRun.training(objective, 0, 6, precision);
            try (TorchRun run = new TorchRun(TorchRun.settings(7, solver, Precision.F32, 0, training))) {
                gradients.add(run.gradient(11));
            }
        }
        double cosine = product(gradients.getFirst(), gradients.getLast())
                / Math.sqrt(product(gradients.getFirst(), gradients.getFirst())
                        * product(gradients.getLast(), gradients.getLast()));
        assertThat(cosine).isBetween(0.99, 1 - 1e-7);
    }

    private static double product(float[] left, float[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += (double) left[i] * right[i];
        }
        return sum;
    }

    @Test
    void another_seed_makes_other_bits() {
        RunSettings other = TorchRun.settings(8, Solver.EULER, Precision.F32, 0, NFT.training());
        RunDigests one = digests(NFT, 1, 1).getFirst();
        RunDigests two = digests(other, 1, 1).getFirst();
        assertThat(two.weights()).isNotEqualTo(one.weights());
        assertThat(two.optimizer()).isNotEqualTo(one.optimizer());
        assertThat(two.decisions()).isNotEqualTo(one.decisions());
    }

    /** P-7. */
    @Test
    void a_run_that_goes_on_from_a_commit_makes_the_same_bits() {
        List<RunDigests> expected = digests(NFT, 1, 1);
        try (TorchRun run = new TorchRun(NFT).with(3, 2, TorchRun.Mishaps.NONE)) {
            RunEvent.Ended half = run.run(1);
            assertThat(run.run(half.state(), STEPS).state().step()).isEqualTo(STEPS);
            assertThat(run.digests).isEqualTo(expected);
        }
    }

    /** P-1, P-2, LW-3: workers crash while holding a unit, devices throw and fail. */
    @Test
    void workers_that_crash_change_no_bit_and_leave_no_byte() {
        List<RunDigests> expected = digests(NFT, 1, 1);
        int lost = 0;
        for (int seed = 0; seed < CHAOS_SEEDS; seed++) {
            SplittableRandom chance = new SplittableRandom(seed);
            try (TorchRun run = new TorchRun(NFT)) {
                run.with(
                        1 + chance.nextInt(5),
                        1 + chance.nextInt(3),
                        (deviceSlot, _) -> mishap(run, deviceSlot, chance));
                RunEvent.Ended ended = run.run(STEPS);
                assertThat(ended.end()).as("seed %d", seed).isEqualTo(new RunEvent.End.Completed());
                assertThat(run.digests).as("seed %d", seed).isEqualTo(expected);
                assertThat(run.releasesAllBut(ended.state().tensors().size()))
                        .as("seed %d leaves %d tensors", seed, run.store.tensorsHeld())
                        .isTrue();
                lost += (int) run.heard.stream()
                        .filter(WorkQueueEvent.WorkerLost.class::isInstance)
                        .count();
            }
        }
        assertThat(lost).as("workers that died").isGreaterThan(CHAOS_SEEDS);
    }

    private static FaultyDevice.Happening mishap(TorchRun run, String deviceSlot, SplittableRandom chance) {
        double dice;
        synchronized (chance) {
            dice = chance.nextDouble();
        }
        if (dice < 0.15) {
            run.crash(deviceSlot);
        }
        return dice < 0.2
                ? FaultyDevice.Happening.THROWS
                : dice < 0.25 ? FaultyDevice.Happening.FAILS : FaultyDevice.Happening.WELL;
    }
}
