/**
 * The interface between actors and devices: units of work, their results, their faults, and simulated devices.
 *
 * <ul>
 *   <li><b>Start reading:</b> Device, then Unit with its three kinds, Result and Fault.
 *   <li><b>Not here:</b> Models and HTTP: gpu-workers and reward-actors implement Device. Leases: see the package
 *       work.
 *   <li><b>Promises:</b> P-1 (a result depends on its unit only), P-3, P-6 (version check).
 * </ul>
 */
@NullMarked
package darkroom.actors.device;

import org.jspecify.annotations.NullMarked;
