/**
 * Chaos runs: a cluster of processes, a plan of faults, and the comparison with the undisturbed run.
 *
 * <ul>
 *   <li><b>Start reading:</b> ChaosRun for the loop, ProcessFleet for the processes, FaultSchedule and FaultInjector for
 *       when and how faults happen, RunObserver for what is seen of them, ChaosPlan for the plans, RunAudit for what must
 *       hold at the end.
 *   <li><b>Not here:</b> Single faults: see the package faults.
 *   <li><b>Promises:</b> Checks P-1, P-2, P-5 and P-7 by killing processes.
 * </ul>
 */
@NullMarked
package darkroom.runtime.chaos;

import org.jspecify.annotations.NullMarked;
