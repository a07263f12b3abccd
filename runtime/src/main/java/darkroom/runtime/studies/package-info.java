/**
 * Studies of judges: agreement with people, benchmark suites, held-out pairs.
 *
 * <ul>
 *   <li><b>Start reading:</b> AlignReport and SuiteEvaluation.
 *   <li><b>Not here:</b> Training.
 *   <li><b>Promises:</b> Figures come with their interval and the judge's identity.
 * </ul>
 */
@NullMarked
package darkroom.runtime.studies;

import org.jspecify.annotations.NullMarked;
