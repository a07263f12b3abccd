package darkroom.actors;

/** What the {@link Gate} tells of nodes. Nothing here reaches a result. */
public sealed interface NodeEvent extends RunEvent {
    /** The node whose tensors, workers and status the event is about. */
    NodeCard node();

    /** @param nodes how many are there now, the control node included */
    record NodeJoined(NodeCard node, int nodes) implements NodeEvent {}

    /** @param why it left, or what was noticed */
    record NodeLeft(NodeCard node, String why, int nodes) implements NodeEvent {}

    /** The node's processor is not that of the control node: promise P-1 holds for each model by itself. */
    record MixedProcessors(NodeCard node, String controlProcessor) implements NodeEvent {}
}
