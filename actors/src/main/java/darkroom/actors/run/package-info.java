/**
 * A run from its first step to its last: the supervisor, one actor for each group, one trainer for each step.
 *
 * <ul>
 *   <li><b>Start reading:</b> RunSupervisor (RS-1 and following), StepLine for the stream of a step, LedgerGate for what
 *       is recorded and compared, OpenSteps for what is held until a commit, GroupCoordinator for one image group,
 *       StepTrainer for its gradient.
 *   <li><b>Not here:</b> Leases and retries of units: see the package workqueue. Settings files and processes: see runtime.
 *   <li><b>Promises:</b> P-1, P-2, P-3, P-6, P-7.
 * </ul>
 */
@NullMarked
package darkroom.actors.run;

import org.jspecify.annotations.NullMarked;
