/**
 * A run in this process: its environment, devices, scorers, data, checkpoints and validations.
 *
 * <ul>
 *   <li><b>Start reading:</b> LocalRun for the order of everything, RunEnvironment for what it runs on, Scorers for its
 *       scorers.
 *   <li><b>Not here:</b> Other processes: see the package cluster.
 *   <li><b>Promises:</b> P-1, P-7.
 * </ul>
 */
@NullMarked
package darkroom.runtime.run;

import org.jspecify.annotations.NullMarked;
