package darkroom.actors;

import java.util.List;

/**
 * A node, as it introduces itself at the {@link Gate}.
 *
 * @param name of this life of the process, unique within the cluster: a process that begins again has another one
 * @param roles what it is there for, for instance {@code rollout}
 * @param processor model of its processor: bits are the same on one model only (promise P-1)
 * @param build version of Darkroom
 * @param plane where its tensors are reached
 * @param status URL of its status page on its own loopback, for people
 */
public record NodeCard(
        String name, List<String> roles, String processor, String build, PlanePeer plane, String status) {
    public NodeCard {
        roles = List.copyOf(roles);
    }
}
