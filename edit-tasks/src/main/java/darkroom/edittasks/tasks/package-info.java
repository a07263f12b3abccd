/**
 * Editing tasks with exact targets, rendered from packaged art as a pure function of a seed.
 *
 * <ul>
 *   <li><b>Start reading:</b> EditTasks for a row by number; TaskTemplate and its 12 cases for what each task type draws,
 *       AddTemplate first; GroundTruth for the score of an edit.
 *   <li><b>Not here:</b> Files of datasets: see the package datasets.
 *   <li><b>Promises:</b> P-1 (a row depends only on its seed and number).
 * </ul>
 */
@NullMarked
package darkroom.edittasks.tasks;

import org.jspecify.annotations.NullMarked;
