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
     * @param why its reason for leaving, or what was detected; for people
     */
    record NodeLeft(NodeCard node, Departure departure, String why, int nodes) implements NodeEvent {}

    /** Kinds of departure of a node. */
    enum Departure {
        /** It was asked to leave, and has handed over its results. */
        ASKED,
        /** It has no device pool for the run. */
        NO_DEVICES,
        /** Its heartbeats stopped. */
        SILENT
    }

    /** A node's processor differs from that of the control node: promise P-1 holds for each model separately. */
    record MixedProcessors(NodeCard node, String controlProcessor) implements NodeEvent {}
}
