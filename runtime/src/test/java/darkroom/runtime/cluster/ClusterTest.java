package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.config.RunSettings;
import darkroom.runtime.Darkroom;
import darkroom.runtime.base.NodeName;
import darkroom.runtime.bench.ProcessCluster;
import darkroom.runtime.bench.ScheduleBench;
import darkroom.runtime.chaos.NodeProcesses;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.cluster.MemberStatus;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose workers are separate processes that are stopped, killed and started: promises P-1 and P-4. */
@Tag("cluster")
class ClusterTest {
    /** Time within which a silent node's unit is released. */
    private static final Duration RELEASED_WITHIN = Duration.ofSeconds(2);

    /** A lease time that expires because its worker has lost it, and not because this machine was stalled. */
    private static final String PATIENT = "limits.lease-time=10s";

    /** P-1. */
    @Test
    void a_run_on_six_nodes_is_the_run_in_one_process() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open(PATIENT)) {
            cluster.startAll("rollout", "rollout", "trainer", "trainer", "reward");
            cluster.awaitSteps(5);
            cluster.endsAsAlone();
            assertThat(cluster.processes().all(WorkQueueEvent.LeaseExpired.class))
                    .isEmpty();
        }
    }

    /** P-1. {@code bench schedules} does the same with the embedded model. */
    @ParameterizedTest
    @ValueSource(longs = {10, 22})
    void a_run_whose_nodes_come_and_go_by_chance_is_the_run_in_one_process(long seed) throws Exception {
        RunSettings settings = ScheduleBench.settings(
                8,
                List.of(
                        "workers.device=virtual",
                        "workers.virtual.rollout=100ms",
                        "workers.virtual.score=20ms",
                        "workers.virtual.unit=50ms"));
        ScheduleBench.Outcome outcome = ScheduleBench.run(settings, ScheduleBench.Schedule.of(seed));
        assertThat(outcome.digests())
                .as("seed %d: %s", seed, outcome.happened())
                .isEqualTo(ScheduleBench.alone(settings));
    }

    /** P-1, P-4: every role is killed, while a second node of it continues. */
    @Test
    void killed_workers_of_every_role_cost_only_time() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            List<Process> nodes = cluster.startAll("rollout", "rollout", "trainer", "trainer", "reward", "reward");
            cluster.awaitSteps(1);
            for (int victim = 0; victim < nodes.size(); victim += 2) {
                Process killed = nodes.get(victim);
                killed.destroyForcibly();
                assertThat(cluster.awaitLeft(killed).departure()).isEqualTo(NodeEvent.Departure.SILENT);
                cluster.awaitSteps(2);
            }
            cluster.endsAsAlone();
        }
    }

    /**
     * P-1, P-4: the run continues without a process that sleeps for some seconds, and the process works again
     * afterwards.
     */
    @Test
    void workers_of_every_role_that_stop_for_some_seconds_work_again() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            List<Process> nodes = cluster.startAll("rollout", "rollout", "trainer", "trainer", "reward", "reward");
            cluster.awaitSteps(1);
            for (int victim = 0; victim < nodes.size(); victim += 2) {
                Process stopped = nodes.get(victim);
                int heard = cluster.processes().heard();
                cluster.processes().stopFor(stopped, Duration.ofMillis(2_700));
                cluster.awaitSteps(2);
                cluster.processes()
                        .await(
                                heard,
                                stopped.pid() + " is let in again",
                                VirtualCluster.SOON,
                                NodeEvent.NodeJoined.class,
                                joined -> ProcessCluster.isOf(
                                        stopped, joined.node().name()));
                long done = cluster.done(stopped);
                cluster.until(stopped.pid() + " does units again", () -> cluster.done(stopped) > done);
            }
            cluster.endsAsAlone();
        }
    }

    /** A process that slept for longer than the cluster's timeout begins another incarnation. */
    @Test
    void a_worker_that_the_cluster_gave_up_begins_again_when_it_wakes() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            Process stopped =
                    cluster.startAll("rollout", "rollout", "trainer", "reward").getFirst();
            NodeEvent.NodeJoined before = cluster.awaitJoined(stopped);
            int members = cluster.processes().members().size();
            int heard = cluster.processes().heard();
            NodeProcesses.signal("STOP", stopped);
            try {
                cluster.until(
                        "the cluster gives the silent node up",
                        () -> cluster.processes().members().size() == members - 1);
                cluster.awaitSteps(1);
            } finally {
                NodeProcesses.signal("CONT", stopped);
            }
            NodeEvent.NodeJoined again = cluster.processes()
                    .await(
                            heard,
                            "it joins by another name",
                            VirtualCluster.SOON,
                            NodeEvent.NodeJoined.class,
                            joined -> ProcessCluster.isOf(stopped, joined.node().name())
                                    && !joined.node()
                                            .name()
                                            .equals(before.node().name()))
                    .event();
            cluster.until(
                    "its second incarnation works",
                    () -> cluster.done(again.node().name()) > 0);
            cluster.endsAsAlone();
        }
    }

    /** NA-3: the work a leaving node holds is finished and handed over. */
    @Test
    void a_node_that_is_asked_to_end_leaves_nothing_undone() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open(PATIENT)) {
            List<Process> nodes = cluster.startAll("rollout", "rollout", "trainer", "trainer", "reward", "reward");
            cluster.awaitSteps(1);
            int members = cluster.processes().members().size();
            for (int leaver = 0; leaver < nodes.size(); leaver += 2) {
                Process leaves = nodes.get(leaver);
                leaves.destroy();
                assertThat(cluster.awaitLeft(leaves).departure()).isEqualTo(NodeEvent.Departure.ASKED);
                assertThat(leaves.waitFor(VirtualCluster.SOON.toSeconds(), TimeUnit.SECONDS))
                        .isTrue();
                assertThat(leaves.exitValue()).as(cluster.processes().tale()).isZero();
            }
            cluster.until(
                    "they are out of the cluster",
                    () -> cluster.processes().members().size() == members - nodes.size() / 2);
            cluster.awaitSteps(1);
            cluster.endsAsAlone();
            assertThat(cluster.processes().all(WorkQueueEvent.LeaseExpired.class))
                    .isEmpty();
            assertThat(cluster.processes().all(WorkQueueEvent.WorkerLost.class)).allMatch(lost -> lost.leases() == 0);
        }
    }

    /** The node registry is notified even by a node that it has just admitted. */
    @Test
    void a_node_that_leaves_as_soon_as_it_is_let_in_says_so() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            Process leaves = cluster.startAll("rollout").getFirst();
            leaves.destroy();
            assertThat(cluster.awaitLeft(leaves).departure()).isEqualTo(NodeEvent.Departure.ASKED);
        }
    }

    /** P-4: a missing role is named, and the run continues when a node joins. A node that joins late contributes. */
    @Test
    void a_run_that_misses_a_role_waits_for_it_and_says_so() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open("limits.stall-after=1s")) {
            for (String role : List.of("rollout", "reward", "trainer")) {
                String queue = queue(role);
                cluster.until(
                        "status says that it waits for " + role, () -> cluster.processes().status().queues().stream()
                                .anyMatch(waits -> waits.role().equals(queue)
                                        && waits.stations().isEmpty()
                                        && waits.blockedBy().isPresent()));
                WorkQueueEvent.Stalled stalled = cluster.processes()
                        .await(
                                0,
                                "the log reports it",
                                VirtualCluster.SOON,
                                WorkQueueEvent.Stalled.class,
                                said -> said.role().equals(queue))
                        .event();
                assertThat(NodeName.parse(stalled.worker())).isEmpty();
                assertThat(cluster.committed()).isZero();
                Process late = cluster.start(role);
                cluster.awaitJoined(late);
                cluster.until(role + " contributes", () -> cluster.done(late) > 0);
            }
            cluster.awaitSteps(2);
            Process second = cluster.start("rollout");
            cluster.awaitJoined(second);
            cluster.until("one that joins a run contributes", () -> cluster.done(second) > 0);
            cluster.endsAsAlone();
        }
    }

    private static String queue(String role) {
        return switch (role) {
            case "rollout" -> "rollout";
            case "reward" -> "score";
            default -> "train";
        };
    }

    /** Every node shows the status of the whole cluster. */
    @Test
    void status_of_a_worker_node_shows_nodes_roles_leases_and_versions() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            List<Process> nodes = cluster.startAll("rollout", "trainer", "reward");
            cluster.awaitSteps(2);
            String page = cluster.awaitJoined(nodes.getLast()).node().status();
            cluster.until("a lease is seen", () -> cluster.processes().status().queues().stream()
                    .flatMap(queue -> queue.stations().stream())
                    .anyMatch(station -> station.leases() > 0));
            String json = command("status", "--json", "--node", page);
            ClusterStatus status = StatusPage.JSON.readValue(json, ClusterStatus.class);
            assertThat(status.nodes().stream().map(admitted -> admitted.card().roles()))
                    .containsExactlyInAnyOrder(
                            List.of("control"), List.of("rollout"), List.of("trainer"), List.of("reward"));
            assertThat(status.queues().stream().map(WorkQueueReport::role))
                    .containsExactlyInAnyOrder("rollout", "score", "train");
            assertThat(status.queues())
                    .filteredOn(queue -> queue.role().equals("rollout"))
                    .flatMap(WorkQueueReport::stations)
                    .singleElement()
                    .satisfies(station -> {
                        assertThat(station.done()).isPositive();
                        assertThat(station.serves()).isPresent();
                    });
            assertThat(command("status", "--node", page).lines())
                    .anyMatch(line -> line.matches("rollout-\\d+-\\w+ +rollout +\\d.*"))
                    .anyMatch(line -> line.matches("rollout: \\d+ in work, \\d+ waiting.*"))
                    .anyMatch(line ->
                            line.matches(" +rollout-\\S+ +\\d+ of 1 +leases +\\d+ done +[\\d.]+/s  version \\d+"));
            cluster.endsAsAlone();
        }
    }

    /** At the end all members are up: none is left in a state that blocks others. */
    @Test
    void processes_that_die_while_others_join_block_nobody() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            cluster.startAll("rollout", "trainer", "reward");
            Process dies = cluster.startAll("rollout").getFirst();
            dies.destroyForcibly();
            Process joins = cluster.start("rollout");
            cluster.awaitJoined(joins);
            cluster.until("it works while the dead one is still a member", () -> cluster.done(joins) > 0);
            cluster.until(
                    "the dead one is out",
                    () -> cluster.processes().members().size() == 5
                            && cluster.processes().members().stream()
                                    .allMatch(member -> member.status().equals(MemberStatus.up())));
            cluster.endsAsAlone();
        }
    }

    /** Another node holds the lease within the bound. */
    @Test
    void the_work_of_a_silent_node_is_with_another_within_two_seconds() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open(VirtualCluster.SLOW.toArray(String[]::new))) {
            List<Process> nodes = cluster.startAll("rollout", "rollout", "trainer", "reward");
            cluster.awaitSteps(1);
            Process stopped = nodes.getFirst();
            cluster.awaitFreshLease(stopped);
            int heard = cluster.processes().heard();
            long began = System.nanoTime();
            NodeProcesses.signal("STOP", stopped);
            try {
                cluster.processes()
                        .await(
                                heard,
                                "its lease is taken away",
                                RELEASED_WITHIN.multipliedBy(5),
                                WorkQueueEvent.LeaseExpired.class,
                                expired -> ProcessCluster.isOf(stopped, expired.worker()));
                assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(RELEASED_WITHIN);
            } finally {
                NodeProcesses.signal("CONT", stopped);
            }
            cluster.awaitSteps(1);
            cluster.endsAsAlone();
        }
    }

    /** Returns the output of a command of this process. */
    private static String command(String... arguments) {
        StringWriter printed = new StringWriter();
        int code = Darkroom.commandLine().setOut(new PrintWriter(printed)).execute(arguments);
        assertThat(code).as(printed.toString()).isZero();
        return printed.toString();
    }
}
