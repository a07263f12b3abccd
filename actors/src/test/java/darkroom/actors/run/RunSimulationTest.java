package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.Unit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.config.LimitSettings;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests whole runs, one thread, virtual time: everything between the prompts and the weights may fail at random. */
class RunSimulationTest {
    private static final int STEPS = 3;
    private static final int WORLDS = 30;
    private static final RunEvent.End COMPLETED = new RunEvent.End.Completed();
    private static final LimitSettings IMPATIENT = new LimitSettings(
            4,
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            80,
            Duration.ofMillis(400),
            1 << 24,
            Duration.ofSeconds(25));

    private static RunSettings settings(int staleness) {
        return Settings.run(staleness, IMPATIENT);
    }

    private static List<RunDigests> calm(RunSettings settings, int steps) {
        try (WorldRun run = new WorldRun(1, settings, StopWhen.NEVER).with(1, 1).start(steps)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            return run.digests;
        }
    }

    /** Devices that throw, fail and hang behind a network that loses, repeats and delays; and crashes. */
    private static WorldRun stormy(long worldSeed, RunSettings settings) {
        WorldRun run = new WorldRun(worldSeed, settings, StopWhen.NEVER);
        SplittableRandom chance = run.world.chance();
        FaultyDevice.Plan<Unit> faults = run.faults(0.03, 0.03, 0.01);
        return run.with(
                        run.devicePool(1 + chance.nextInt(5), 1 + chance.nextInt(3), faults),
                        new UnreliableWorkQueue.NetworkFaults(chance, 0.05, 0.1, Duration.ofMillis(20)))
                .crashing(
                        Duration.ofMillis(60),
                        List.of("rollout-0", "rollout-1", "rollout-4", "trainer-0", "trainer-1", "reward-0"));
    }

    private static void assertNothingLeft(WorldRun run, RunEvent.Ended ended) {
        assertThat(run.promptsAlive).hasValue(0);
        assertThat(run.store.tensorsHeld()).isEqualTo(ended.state().tensors().size());
        ended.state().tensors().forEach(run.store::release);
        assertThat(run.store.bytesHeld()).isZero();
    }

    @Test
    void two_worlds_of_one_seed_do_the_same_things_at_the_same_times() {
        List<List<String>> traces = new ArrayList<>();
        for (long worldSeed : List.of(11L, 11L, 12L)) {
            try (WorldRun run = stormy(worldSeed, settings(1)).start(STEPS)) {
                assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
                run.traced("after " + run.world.steps() + " mailbox runs");
                traces.add(run.trace);
            }
        }
        assertThat(traces.get(1)).isEqualTo(traces.get(0)).hasSizeGreaterThan(300);
        assertThat(traces.get(2)).isNotEqualTo(traces.get(0));
    }

    /** P-1, P-2, RS-5, WQ-2, LW-3, TR-2: with blocks of 1, 2, 4 and 8 gradient units. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void whatever_goes_wrong_the_digests_stay_and_nothing_leaks(int staleness) {
        List<RunDigests> expected = calm(settings(staleness), STEPS);
        long repeated = 0;
        for (int worldSeed = 0; worldSeed < WORLDS; worldSeed++) {
            RunSettings settings = Settings.leasing(settings(staleness), 1 << worldSeed % 4);
            try (WorldRun run = stormy(worldSeed, settings).start(STEPS)) {
                RunEvent.Ended ended = run.toTheEnd();
                assertThat(ended.end()).as("world seed %d", worldSeed).isEqualTo(COMPLETED);
                assertThat(run.digests).as("world seed %d", worldSeed).isEqualTo(expected);
                assertNothingLeft(run, ended);
                repeated += run.heard(WorkQueueEvent.WorkerLost.class).size()
                        + run.heard(WorkQueueEvent.WorkFailed.class).size()
                        + run.heard(WorkQueueEvent.LeaseExpired.class).size();
            }
        }
        assertThat(repeated).as("units done again").isGreaterThan(10 * WORLDS);
    }

    /** P-4, WQ-7: no other workers exist, and none crashes. */
    @Test
    void devices_that_hang_now_and_then_are_replaced_even_if_they_are_the_only_ones() {
        List<RunDigests> expected = calm(settings(0), STEPS);
        try (WorldRun run = new WorldRun(3, settings(0), StopWhen.NEVER)) {
            run.guardian.tell(new RunGuardian.Offer("here", run.devicePool(1, 1, run.faults(0, 0, 0.05))));
            run.start(STEPS);
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            assertThat(run.digests).isEqualTo(expected);
            assertThat(run.heard(WorkQueueEvent.Stalled.class)).anyMatch(WorkQueueEvent.Stalled::acted);
        }
    }

    /** The converse of P-1: another seed is another run. */
    @Test
    void runs_of_twenty_seeds_have_twenty_digests() {
        List<RunDigests> all = new ArrayList<>();
        for (int seed = 0; seed < 20; seed++) {
            all.add(calm(Settings.run(seed, 0, Settings.GROUPS, IMPATIENT), 1).getLast());
        }
        assertThat(all).doesNotHaveDuplicates();
        assertThat(all.stream().map(RunDigests::weights)).doesNotHaveDuplicates();
        assertThat(all.stream().map(RunDigests::optimizer)).doesNotHaveDuplicates();
        assertThat(all.stream().map(RunDigests::decisions)).doesNotHaveDuplicates();
    }

    /** P-7, RS-6: everything dies at some moment of step k + 1; the state left by step k is enough. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void a_run_that_dies_anywhere_and_is_resumed_from_its_last_commit_is_the_same_run(int staleness) {
        int steps = 5;
        List<RunDigests> expected = calm(settings(staleness), steps);
        for (int worldSeed = 0; worldSeed < 20; worldSeed++) {
            try (WorldRun before = stormy(worldSeed, settings(staleness)).start(steps)) {
                int commits = 1 + worldSeed % (steps - 1);
                assertThat(before.world.runUntil(() -> before.digests.size() == commits, Duration.ofDays(1)))
                        .isTrue();
                before.world.pass(Duration.ofMillis(before.world.chance().nextInt(50)));
                int kept = before.checkpoints.size();
                before.world.close();
                try (WorldRun after = stormy(worldSeed + 1000, settings(staleness))) {
                    after.start(after.order(after.restored(before, kept - 1), steps, null));
                    RunEvent.Ended ended = after.toTheEnd();
                    assertThat(ended.end()).isEqualTo(COMPLETED);
                    assertThat(after.digests)
                            .as("world seed %d, resumed after %d commits", worldSeed, kept)
                            .isEqualTo(expected.subList(kept, steps));
                    assertNothingLeft(after, ended);
                }
            }
        }
    }
}
