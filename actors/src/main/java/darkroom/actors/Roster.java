package darkroom.actors;

import java.util.List;

/**
 * Who is there, complete.
 *
 * @param version grows with every change
 * @param peers every node that tensors can be had from, the control node first
 */
public record Roster(long version, List<PlanePeer> peers) {
    public Roster {
        peers = List.copyOf(peers);
    }
}
