package darkroom.runtime.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The command-line arguments of a worker node that this process starts on its own machine. */
public final class NodeArguments {
    private NodeArguments() {}

    /** Whether {@code key=value} is a setting that is specific to each node. */
    public static boolean isOfNode(String pair) {
        return Stream.of("cluster.", "limits.", "faults.").anyMatch(pair::startsWith);
    }

    /**
     * Returns the settings among {@code overrides} that apply to every node of a cluster: all except a node's ports.
     */
    public static List<String> ofCluster(List<String> overrides) {
        return overrides.stream()
                .filter(NodeArguments::isOfNode)
                .filter(pair -> !pair.startsWith("cluster.port") && !pair.startsWith("cluster.status-port"))
                .toList();
    }

    /** Returns the arguments of a worker node that joins the control node and shares its media driver. */
    public static List<String> joining(ControlNode.Open open, List<String> overrides) {
        return joining(open, overrides, true);
    }

    /**
     * Returns the arguments of a worker node that joins the control node.
     *
     * @param sharesDriver whether it uses the control node's media driver, and so ends with that process
     */
    public static List<String> joining(ControlNode.Open open, List<String> overrides, boolean sharesDriver) {
        List<String> arguments =
                new ArrayList<>(List.of("--join", open.address().toString()));
        ofCluster(overrides).forEach(pair -> arguments.addAll(List.of("--set", pair)));
        if (sharesDriver && !open.driver().isEmpty()) {
            arguments.addAll(List.of("--set", "cluster.tensor-plane.driver=\"" + open.driver() + '"'));
        }
        return arguments;
    }
}
