package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.ClusterSettings;
import darkroom.config.HostPort;
import darkroom.config.Recipes;
import darkroom.runtime.cluster.CommandProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node can join at the address that a control node prints, over IPv6 too. */
@Tag("cluster")
class Ipv6Test {
    private static final Duration WITHIN = Duration.ofSeconds(60);

    private static ActorSystem<Void> node(String role, String... settings) {
        ClusterSettings cluster =
                Recipes.load("embedded-demo", List.of(settings)).cluster();
        return ActorSystem.create(
                Behaviors.empty(), LocalActorSystem.SYSTEM, PekkoConfig.node(cluster, List.of(role), false));
    }

    @Test
    void a_node_joins_over_ipv6_at_the_address_that_is_printed() throws Exception {
        ActorSystem<Void> control = node("control", "cluster.host=::1");
        HostPort printed = PekkoConfig.address(Cluster.get(control).selfMember().address());
        ActorSystem<Void> worker =
                node("rollout", "cluster.host=\"[::1]\"", "cluster.seed-nodes=[\"" + printed + "\"]");
        try {
            assertThat(printed.toString()).startsWith("[::1]:");
            Cluster.get(control)
                    .manager()
                    .tell(Join.create(Cluster.get(control).selfMember().address()));
            Cluster.get(worker)
                    .manager()
                    .tell(new JoinSeedNodes(List.of(PekkoConfig.address(HostPort.parse(printed.toString())))));
            CompletableFuture<Boolean> up = new CompletableFuture<>();
            CommandProcess.until(
                    "the node is up",
                    WITHIN,
                    () -> Cluster.get(worker).selfMember().status().equals(MemberStatus.up()) && up.complete(true),
                    () -> String.valueOf(Cluster.get(worker).state()));
            assertThat(up.get(1, TimeUnit.SECONDS)).isTrue();
        } finally {
            worker.terminate();
            control.terminate();
        }
    }
}
