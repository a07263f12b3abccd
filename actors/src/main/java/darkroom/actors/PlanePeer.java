package darkroom.actors;

/**
 * Where the tensor plane of a node is reached.
 *
 * @param node name of the node, which is the {@link TensorRef#home} of its tensors
 * @param host identity of the machine (not its name): peers of one host may share a media driver
 * @param driver directory of the media driver that the node uses
 * @param address host:port on which the node receives tensors from other machines
 */
public record PlanePeer(String node, String host, String driver, String address) {}
