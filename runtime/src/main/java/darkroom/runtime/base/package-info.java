/**
 * Shared parts of this module: files of a run directory, JSON lines, rows, evaluations, precision, tables of text.
 *
 * <ul>
 *   <li><b>Start reading:</b> RunDirectory for the names of files, RunJournal for the ledger's database, Evaluations
 *       for held-out quality.
 *   <li><b>Not here:</b> Actor systems, processes and commands.
 *   <li><b>Promises:</b> P-7: settings and precision of a run are in its directory.
 * </ul>
 */
@NullMarked
package darkroom.runtime.base;

import org.jspecify.annotations.NullMarked;
