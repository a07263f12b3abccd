/**
 * The visible output of a run: report, live view, log, TensorBoard, contact sheets.
 *
 * <ul>
 *   <li><b>Start reading:</b> RunRecorder for files that are written during a run, Report for the page at its end
 *       and its sections (HeadlineSection, LearningSection, ...), LiveView for the terminal.
 *   <li><b>Not here:</b> Anything that a run depends on; how a chart is drawn: see the package charts.
 *   <li><b>Promises:</b> Works only from events and files, so that a failed recorder never changes a result (P-1).
 * </ul>
 */
@NullMarked
package darkroom.runtime.report;

import org.jspecify.annotations.NullMarked;
