/**
 * The command line: one class for each command, and the main class.
 *
 * <ul>
 *   <li><b>Start reading:</b> Darkroom, then TrainCommand.
 *   <li><b>Not here:</b> Work: a command reads options, calls another package and prints.
 *   <li><b>Promises:</b> Exit codes as in ExitCode; bad options are refused before anything is written.
 * </ul>
 */
@NullMarked
package darkroom.runtime;

import org.jspecify.annotations.NullMarked;
