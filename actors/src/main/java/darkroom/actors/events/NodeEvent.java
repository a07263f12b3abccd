package darkroom.actors.events;

/** An event about a node, from the {@link NodeRegistry}. It never affects a result. */
public sealed interface NodeEvent extends RunEvent {
    /** Returns the node whose tensors, workers and status the event is about. */
    NodeCard node();

    /**
     * A node was admitted.
     *
     * @param nodes current number of nodes, including the control node
     */
    record NodeJoined(NodeCard node, int nodes) implements NodeEvent {}

    /**
     * A node left the roster.
     *
     * @param why its reason for leaving, or what was detected
     */
    record NodeLeft(NodeCard node, String why, int nodes) implements NodeEvent {}

    /** A node's processor differs from that of the control node: promise P-1 holds for each model separately. */
    record MixedProcessors(NodeCard node, String controlProcessor) implements NodeEvent {}
}
