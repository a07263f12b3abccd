/**
 * Nodes: control node, standby, worker node, their membership and the status page.
 *
 * <ul>
 *   <li><b>Start reading:</b> ControlNode and WorkerNode; Incarnation for the parts of a worker node and the order in which
 *       they close, NodeAgentHost for its devices; Standby for the take-over; ControlDowning for the rule about lost nodes.
 *   <li><b>Not here:</b> The protocol of admission: see darkroom.actors.cluster.
 *   <li><b>Promises:</b> P-4, P-5.
 * </ul>
 */
@NullMarked
package darkroom.runtime.cluster;

import org.jspecify.annotations.NullMarked;
