package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.WorkQueueEvent;
import darkroom.runtime.base.Networks;
import darkroom.runtime.bench.ProcessCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Worker nodes in separate networks, each with a cable to a switch at which the control node is: covers what loopback
 * cannot show. Tensors travel by UDP. Needs root and iproute2, for loss iptables too; the test is skipped with a
 * message otherwise.
 */
@Tag("cluster")
class ClusterNetworkTest {
    private static final List<String> ROLES = List.of("rollout", "rollout", "trainer", "reward");
    private static final Duration RELEASED_WITHIN = Duration.ofSeconds(2);

    @BeforeEach
    void may() {
        boolean may = Networks.allowed();
        if (!may) {
            System.err.println("ClusterNetworkTest is NOT RUN: it needs root, and ip of iproute2");
        }
        Assumptions.assumeTrue(may, "needs root, and ip of iproute2");
    }

    /** P-1, over cables that lose one packet in twenty. */
    @Test
    void a_run_over_a_network_that_loses_packets_is_the_run_in_one_process() throws Exception {
        try (Networks networks = Networks.open(ROLES.size());
                VirtualCluster cluster = open(networks, List.of())) {
            startAll(cluster, networks);
            cluster.awaitSteps(2);
            boolean loses = Networks.canLose();
            if (loses) {
                for (int i = 0; i < ROLES.size(); i++) {
                    networks.lose(i, 0.05);
                }
                cluster.awaitSteps(3);
            } else {
                System.err.println("ClusterNetworkTest LOSES NO PACKETS: it needs iptables with the module statistic");
            }
            cluster.endsAsAlone();
            Assumptions.assumeTrue(loses, "needs iptables with the module statistic");
        }
    }

    /**
     * P-1, P-4: the run continues without a node that is cut off; the node ends its incarnation, and rejoins when the
     * cable is back.
     */
    @Test
    void a_node_whose_cable_is_cut_is_done_without_and_comes_back() throws Exception {
        try (Networks networks = Networks.open(ROLES.size());
                VirtualCluster cluster = open(networks, VirtualCluster.SLOW)) {
            Process cut = startAll(cluster, networks).getFirst();
            ProcessCluster processes = cluster.processes();
            cluster.awaitSteps(1);
            int members = processes.members().size();
            cluster.awaitFreshLease(cut);
            int before = processes.heard();
            long began = System.nanoTime();
            Set<Path> pages = pages(cut);
            assertThat(pages).isNotEmpty();
            networks.cut(0);
            long expired = processes
                    .await(
                            before,
                            "its lease is taken away",
                            VirtualCluster.SOON,
                            WorkQueueEvent.LeaseExpired.class,
                            lease -> ProcessCluster.isOf(cut, lease.worker()))
                    .nanos();
            assertThat(Duration.ofNanos(expired - began)).isLessThan(RELEASED_WITHIN);
            cluster.until(
                    "it is out of the cluster, and nobody else",
                    () -> processes.members().size() == members - 1);
            cluster.awaitSteps(1);
            cluster.until("it ends its incarnation", () -> !pages(cut).equals(pages));
            assertThat(processes.members().stream().filter(member -> member.hasRole(ControlNode.ROLE)))
                    .hasSize(1);
            int cutOff = processes.heard();
            networks.restore(0);
            String name = processes
                    .awaitJoined(cutOff, cut, VirtualCluster.SOON)
                    .event()
                    .node()
                    .name();
            cluster.until("its second incarnation works", () -> cluster.done(name) > 0);
            cluster.endsAsAlone();
        }
    }

    /** Returns the files of a process's status pages: each of its incarnations has another one. */
    private static Set<Path> pages(Process process) throws IOException {
        try (Stream<Path> files = Files.list(StatusDirectory.of(System.getenv()).make())) {
            return files.filter(file -> file.getFileName().toString().startsWith(process.pid() + "-"))
                    .collect(Collectors.toSet());
        }
    }

    private static VirtualCluster open(Networks networks, List<String> own) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(own);
        all.addAll(List.of("cluster.host=" + networks.address(), "cluster.tensor-plane.transport=udp"));
        return VirtualCluster.open(all.toArray(String[]::new));
    }

    private static List<Process> startAll(VirtualCluster cluster, Networks networks) throws InterruptedException {
        List<Process> all = new ArrayList<>();
        for (int i = 0; i < ROLES.size(); i++) {
            all.add(cluster.processes()
                    .start(
                            networks.in(i),
                            List.of(ROLES.get(i)),
                            List.of(
                                    "--set",
                                    "cluster.host=" + networks.address(i),
                                    "--set",
                                    "cluster.tensor-plane.driver=embedded")));
        }
        for (Process process : all) {
            cluster.awaitJoined(process);
        }
        return all;
    }
}
