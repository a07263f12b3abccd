package darkroom.actors.cluster;

import darkroom.tensors.PlanePeer;
import java.util.List;

/**
 * All nodes that currently belong to the cluster.
 *
 * @param version grows with every change
 * @param peers every node that tensors are available from, the control node first
 */
public record Roster(long version, List<PlanePeer> peers) {
    public Roster {
        peers = List.copyOf(peers);
    }
}
