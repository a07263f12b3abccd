package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.LimitSettings;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests whole runs on randomly changing clusters: one thread, virtual time, one store per node. */
class ClusterSimulationTest {
    private static final int STEPS = 3;
    private static final int WORLDS = 50;
    private static final RunEvent.End COMPLETED = new RunEvent.End.Completed();
    private static final LimitSettings IMPATIENT = new LimitSettings(
            4,
            Duration.ofMillis(100),
            Duration.ofMillis(10),
            80,
            Duration.ofMillis(400),
            1 << 24,
            Duration.ofSeconds(25));

    private static RunSettings settings(int staleness) {
        return Settings.run(staleness, IMPATIENT);
    }

    private static List<RunDigests> calm(int staleness) {
        try (WorldRun run =
                new WorldRun(1, settings(staleness), StopWhen.NEVER).with(1, 1).start(STEPS)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            return run.digests;
        }
    }

    private static ClusterRun churning(long worldSeed, int staleness) {
        ClusterRun run = new ClusterRun(worldSeed, Settings.leasing(settings(staleness), 1 << worldSeed % 4));
        run.join(1, 1, 1);
        run.join(run.world.chance().nextInt(3), 1, run.world.chance().nextInt(3));
        return run.churning(Duration.ofMillis(250)).start(STEPS);
    }

    /** P-1, P-2, RS-5, GC-5, GC-7, ST-6, ST-7, SW-1, TR-2: the same run as in one process, whichever nodes come and go. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void nodes_that_join_leave_die_and_fall_silent_change_no_bit_and_leave_nothing(int staleness) {
        List<RunDigests> expected = calm(staleness);
        List<String> failures = new ArrayList<>();
        List<String> happened = new ArrayList<>();
        for (int worldSeed = 0; worldSeed < WORLDS; worldSeed++) {
            try (ClusterRun run = churning(worldSeed, staleness)) {
                RunEvent.Ended ended = run.toTheEnd();
                assertThat(ended.end()).isEqualTo(COMPLETED);
                assertThat(run.digests).isEqualTo(expected);
                run.assertNothingLeft(ended);
                happened.addAll(run.trace);
            } catch (AssertionError failure) {
                failures.add("world seed %d: %s".formatted(worldSeed, failure.getMessage()));
            }
        }
        assertThat(failures).isEmpty();
        for (String what :
                List.of(" dies", " leaves", " is silent", "Left[why=told to]", "WorkerLost", "LeaseExpired")) {
            assertThat(happened.stream().filter(line -> line.contains(what)))
                    .as(what)
                    .hasSizeGreaterThan(WORLDS);
        }
    }

    @Test
    void two_clusters_of_one_seed_do_the_same_things_at_the_same_times() {
        List<List<String>> traces = new ArrayList<>();
        for (long worldSeed : List.of(11L, 11L, 12L)) {
            try (ClusterRun run = churning(worldSeed, 1)) {
                run.toTheEnd();
                run.traced("after " + run.world.steps() + " mailbox runs");
                traces.add(run.trace);
            }
        }
        assertThat(traces.get(1)).isEqualTo(traces.get(0)).hasSizeGreaterThan(200);
        assertThat(traces.get(2)).isNotEqualTo(traces.get(0));
    }

    /** P-4: a run without workers for rollouts, scores or training waits, and continues with the next worker that joins. */
    @Test
    void a_run_without_nodes_of_a_kind_waits_for_one_and_goes_on() {
        List<RunDigests> expected = calm(0);
        try (ClusterRun run = new ClusterRun(5, settings(0))) {
            run.start(STEPS);
            run.world.pass(Duration.ofSeconds(5));
            ClusterRun.Node rollouts = run.join(2, 0, 0);
            run.world.pass(Duration.ofSeconds(5));
            assertThat(run.heard(RunEvent.GroupFinished.class))
                    .as("nobody scores")
                    .isEmpty();
            ClusterRun.Node scores = run.join(0, 1, 0);
            run.world.pass(Duration.ofSeconds(5));
            assertThat(run.heard(RunEvent.GroupFinished.class)).isNotEmpty();
            assertThat(run.digests).as("nobody trains").isEmpty();
            ClusterRun.Node trains = run.join(0, 0, 1);
            assertThat(run.world.runUntil(() -> run.digests.size() == 1, Duration.ofMinutes(1)))
                    .isTrue();
            for (ClusterRun.Node node : List.of(rollouts, scores, trains)) {
                node.die();
            }
            run.world.pass(Duration.ofSeconds(20));
            assertThat(run.digests).hasSize(1);
            run.join(1, 1, 1);
            RunEvent.Ended ended = run.toTheEnd();
            assertThat(ended.end()).isEqualTo(COMPLETED);
            assertThat(run.digests).isEqualTo(expected);
            run.assertNothingLeft(ended);
        }
    }

    /** NA-2: silence costs a node its place on the roster, not its workers. */
    @Test
    void a_node_that_comes_back_from_a_long_silence_is_let_in_again_with_the_workers_it_has() {
        try (ClusterRun run = new ClusterRun(6, settings(0))) {
            ClusterRun.Node node = run.join(1, 1, 1);
            run.world.pass(Duration.ofSeconds(1));
            node.silentFor(ClusterRun.SILENT_AFTER.multipliedBy(3));
            run.world.pass(ClusterRun.SILENT_AFTER.multipliedBy(6));
            List<RunEvent> events = run.events.getAllReceived();
            assertThat(events.stream().filter(NodeEvent.NodeLeft.class::isInstance))
                    .hasSize(1);
            assertThat(events.stream().filter(NodeEvent.NodeJoined.class::isInstance))
                    .hasSize(2);
            assertThat(node.devicePools()).isOne();
            RunEvent.Ended ended = run.start(STEPS).toTheEnd();
            assertThat(ended.end()).isEqualTo(COMPLETED);
            run.assertNothingLeft(ended);
        }
    }

    /** NR-5, NA-3. */
    @Test
    void when_the_registry_closes_every_node_goes_home_whatever_is_lost_on_the_way() {
        try (ClusterRun run = new ClusterRun(7, settings(0))) {
            for (int i = 0; i < 20; i++) {
                run.join(1, 1, 0);
            }
            run.world.pass(Duration.ofSeconds(1));
            run.registry.tell(new NodeRegistry.Close("the run has ended"));
            run.world.pass(Duration.ofSeconds(1));
            assertThat(run.nodes).isEmpty();
        }
    }
}
