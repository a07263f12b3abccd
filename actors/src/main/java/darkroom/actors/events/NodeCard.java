package darkroom.actors.events;

import darkroom.tensors.PlanePeer;
import java.util.List;

/**
 * The self-description of a node, sent to the {@link NodeRegistry}.
 *
 * @param name of this incarnation of the process, unique within the cluster: a restarted process has another one
 * @param roles its roles, for instance {@code rollout}
 * @param processor model of its processor: bits are the same on one model only (promise P-1)
 * @param build version of Darkroom
 * @param plane addresses of its tensor plane
 * @param status URL of its status page on its own loopback, for people
 */
public record NodeCard(
        String name, List<String> roles, String processor, String build, PlanePeer plane, String status) {
    public NodeCard {
        roles = List.copyOf(roles);
    }
}
