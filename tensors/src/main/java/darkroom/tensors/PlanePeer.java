package darkroom.tensors;

/**
 * The addresses under which the tensor plane of a node is reached.
 *
 * @param node name of the node, which is the {@link TensorRef#home} of its tensors
 * @param host identity of the machine (not its name), for choosing near peers before far ones; it proves nothing
 * @param driver token that the node has read in the directory of its media driver: two nodes with the same token use one
 *     driver in one memory; empty if it uses none for other nodes of its machine
 * @param export directory of the node's shared tensor export; empty if it has none
 * @param exportToken token in that directory: a process that reads it there sees the node's memory; empty if there is none
 * @param address host:port on which the node receives tensors from other machines; empty if it receives none
 */
public record PlanePeer(String node, String host, String driver, String export, String exportToken, String address) {}
