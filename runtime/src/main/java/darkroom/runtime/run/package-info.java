/**
 * A run in this process: its environment, devices, scorers, data, checkpoints and validations.
 *
 * <ul>
 *   <li><b>Start reading:</b> LocalRun for how a run is prepared and opened, TrainingSession for the order of everything in
 *       it, Resumption for what a resumed run must meet, RunEnvironment for what it runs on, Scorers for its scorers.
 *   <li><b>Not here:</b> Other processes: see the package cluster.
 *   <li><b>Promises:</b> P-1, P-7.
 * </ul>
 */
@NullMarked
package darkroom.runtime.run;

import org.jspecify.annotations.NullMarked;
