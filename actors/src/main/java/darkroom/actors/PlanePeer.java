package darkroom.actors;

/**
 * Where the tensor plane of a node is reached.
 *
 * @param node name of the node, which is the {@link TensorRef#home} of its tensors
 * @param host identity of the machine (not its name), for choosing near peers before far ones; it proves nothing
 * @param driver what the node has read in the directory of its media driver: two nodes that have read the same use one driver in
 *     one memory; empty if it uses none for other nodes of its machine
 * @param window directory in which the node shows its tensors; empty if it shows none
 * @param windowToken what stands in that directory: who reads it there sees the node's memory; empty if there is none
 * @param address host:port on which the node receives tensors from other machines; empty if it receives none
 */
public record PlanePeer(String node, String host, String driver, String window, String windowToken, String address) {}
