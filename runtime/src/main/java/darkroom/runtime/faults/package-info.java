/**
 * Faults that a node injects into itself: kind, time, and duration.
 *
 * <ul>
 *   <li><b>Start reading:</b> FaultOrder for a fault that is ordered, NodeFaults for its effect on a node.
 *   <li><b>Not here:</b> Plans of many faults: see the package chaos.
 *   <li><b>Promises:</b> P-10 (faults off, no price).
 * </ul>
 */
@NullMarked
package darkroom.runtime.faults;

import org.jspecify.annotations.NullMarked;
