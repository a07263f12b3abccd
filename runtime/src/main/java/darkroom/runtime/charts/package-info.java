/**
 * Charts of the HTML pages: figures with a title, axes with units and a legend, as inline SVG drawn by Lets-Plot.
 *
 * <ul>
 *   <li><b>Start reading:</b> LineChart, then Plot for the specification that Lets-Plot draws, PlotSvg for what is
 *       changed in its SVG.
 *   <li><b>Not here:</b> What is measured: the packages report, studies and chaos name titles and values.
 *   <li><b>Promises:</b> P-7: equal values give equal bytes. A value that is not finite is never
 *       drawn, and the figure says how many were not.
 * </ul>
 */
@NullMarked
package darkroom.runtime.charts;

import org.jspecify.annotations.NullMarked;
