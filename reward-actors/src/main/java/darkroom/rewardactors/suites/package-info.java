/**
 * Benchmark suites, ImgEdit and GEdit: their items, questions, grades and tables.
 *
 * <ul>
 *   <li><b>Start reading:</b> EditSuite with its two kinds, SuiteRun for a resumable evaluation, SuiteResult for its
 *       file.
 *   <li><b>Not here:</b> Rollout of the edits.
 *   <li><b>Promises:</b> P-3: an item without a grade is counted as missing.
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.suites;

import org.jspecify.annotations.NullMarked;
