/**
 * Work pulling: a queue for each role, leases on its units, and the workers that hold them.
 *
 * <ul>
 *   <li><b>Start reading:</b> WorkQueue for the life of a unit (WQ-1 and following), LeaseTable for the places where a lease
 *       is taken back, LeasedWorker for one device, WorkerSupervisor for the workers of a node.
 *   <li><b>Not here:</b> Meaning of a unit and consequences of its result: see the package run.
 *   <li><b>Promises:</b> P-2, P-4 (no silent hang), P-5.
 * </ul>
 */
@NullMarked
package darkroom.actors.workqueue;

import org.jspecify.annotations.NullMarked;
