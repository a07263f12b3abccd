/**
 * Admission of nodes to a run: who takes part, since when, and what every node knows of the others.
 *
 * <ul>
 *   <li><b>Start reading:</b> NodeRegistry on the control node (NR-1 and following), NodeAgent on each worker node (NA-1
 *       and following), Roster for the view they share.
 *   <li><b>Not here:</b> Pekko's membership and its downing: see darkroom.runtime.cluster.
 *   <li><b>Promises:</b> P-4, P-5.
 * </ul>
 */
@NullMarked
package darkroom.actors.cluster;

import org.jspecify.annotations.NullMarked;
