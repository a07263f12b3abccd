/**
 * Datasets of editing tasks in the Edit-R1 layout: reading, validating, writing and curating.
 *
 * <ul>
 *   <li><b>Start reading:</b> DatasetReader, then DatasetRow; Curation for rows from annotations, with RowProposals (rules) and
 *       CandidateRows (writing).
 *   <li><b>Not here:</b> Decoding pictures and rendering tasks.
 *   <li><b>Promises:</b> P-4: a bad row is reported with its line, its reason and its remedy before anything is written.
 * </ul>
 */
@NullMarked
package darkroom.edittasks.datasets;

import org.jspecify.annotations.NullMarked;
