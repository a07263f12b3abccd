package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.Unit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MembershipIndependenceTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final int STEPS = 3;
    private static final int CHAOS_SEEDS = 24;

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    private static List<RunDigests> digests(int staleness, int rolloutDevices, int trainerDevices) {
        return digests(Settings.run(staleness), rolloutDevices, trainerDevices);
    }

    private static List<RunDigests> digests(RunSettings settings, int rolloutDevices, int trainerDevices) {
        try (SimulatedRun run = new SimulatedRun(KIT, settings, StopWhen.NEVER)
                .with(rolloutDevices, trainerDevices)
                .start(STEPS)) {
            assertThat(run.awaitEnd().end()).isEqualTo(new RunEvent.End.Completed());
            return run.digests;
        }
    }

    /** P-1. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void when_worker_counts_differ_then_the_digests_of_every_step_do_not(int staleness) {
        List<RunDigests> expected = digests(staleness, 1, 1);
        assertThat(expected).hasSize(STEPS).doesNotHaveDuplicates();
        for (int rolloutDevices : List.of(1, 2, 3, 5)) {
            for (int trainerDevices : List.of(1, 2, 3)) {
                assertThat(digests(staleness, rolloutDevices, trainerDevices))
                        .as("%d rollout and %d trainer devices", rolloutDevices, trainerDevices)
                        .isEqualTo(expected);
            }
        }
    }

    /** P-1, TR-2. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8, 64})
    void when_trainers_take_blocks_of_gradient_units_then_the_digests_of_every_step_stay(int unitsPerLease) {
        List<RunDigests> expected = digests(0, 1, 1);
        for (int trainerDevices : List.of(1, 3)) {
            assertThat(digests(Settings.leasing(Settings.run(0), unitsPerLease), 1, trainerDevices))
                    .as("%d trainer devices", trainerDevices)
                    .isEqualTo(expected);
        }
    }

    /** RS-1. */
    @Test
    void when_draws_overlap_training_then_the_run_is_another_one() {
        assertThat(digests(1, 1, 1)).isNotEqualTo(digests(0, 1, 1));
    }

    /** P-1, P-2, RS-5, LW-3: crashing actors, throwing, failing and hanging devices, at random times. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void when_workers_crash_at_random_then_the_digests_stay_and_nothing_leaks(int staleness) {
        List<RunDigests> expected = digests(staleness, 1, 1);
        int crashes = 0;
        int failures = 0;
        for (int seed = 0; seed < CHAOS_SEEDS; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try (SimulatedRun run = new SimulatedRun(KIT, Settings.run(staleness), StopWhen.NEVER)) {
                FaultyDevice.Plan<Unit> faults = faults(random);
                run.with(run.devicePool(1 + random.nextInt(5), 1 + random.nextInt(3), faults))
                        .start(STEPS);
                RunEvent.Ended ended = crashUntilTheEnd(run, random);
                assertThat(ended.end()).as("chaos seed %d", seed).isEqualTo(new RunEvent.End.Completed());
                assertThat(run.digests).as("chaos seed %d", seed).isEqualTo(expected);
                assertThat(run.promptsAlive).hasValue(0);
                awaitTensors(run, ended, seed);
                crashes += run.heard(WorkQueueEvent.WorkerLost.class).size();
                failures += run.heard(WorkQueueEvent.WorkFailed.class).size()
                        + run.heard(WorkQueueEvent.LeaseExpired.class).size();
            }
        }
        assertThat(crashes).as("workers that died").isGreaterThan(CHAOS_SEEDS);
        assertThat(failures).as("units that failed").isGreaterThan(CHAOS_SEEDS);
    }

    private static FaultyDevice.Plan<Unit> faults(SplittableRandom random) {
        SplittableRandom own = random.split();
        return _ -> {
            synchronized (own) {
                double dice = own.nextDouble();
                return dice < 0.03
                        ? FaultyDevice.Happening.THROWS
                        : dice < 0.06 ? FaultyDevice.Happening.FAILS : FaultyDevice.Happening.WELL;
            }
        };
    }

    private static RunEvent.Ended crashUntilTheEnd(SimulatedRun run, SplittableRandom random) {
        List<String> deviceSlots =
                new ArrayList<>(List.of("rollout-0", "rollout-1", "rollout-4", "trainer-0", "trainer-1", "reward-0"));
        TestProbe<Object> pause = KIT.createTestProbe();
        for (int i = 0; i < 400; i++) {
            run.guardian.tell(new RunGuardian.Crash(deviceSlots.get(random.nextInt(deviceSlots.size()))));
            pause.expectNoMessage(Duration.ofMillis(10 + random.nextInt(20)));
            if (!run.heard(RunEvent.Ended.class).isEmpty()) {
                break;
            }
        }
        return run.awaitEnd();
    }

    private static void awaitTensors(SimulatedRun run, RunEvent.Ended ended, int seed) {
        int left = ended.state().tensors().size();
        KIT.createTestProbe().awaitAssert(Duration.ofSeconds(5), () -> {
            assertThat(run.store.tensorsHeld())
                    .as("tensors left after chaos seed %d, other than the state's", seed)
                    .isEqualTo(left);
            return left;
        });
    }
}
