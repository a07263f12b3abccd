/** Joins the modules: command line, one-process cluster, live view, run directory, report, benchmarks. */
@NullMarked
package darkroom.runtime;

import org.jspecify.annotations.NullMarked;
