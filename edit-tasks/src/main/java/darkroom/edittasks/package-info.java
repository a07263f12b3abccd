/** Editing tasks with exact targets, drawn from packaged art as a pure function of a seed; the Edit-R1 dataset layout; ground truth. */
@NullMarked
package darkroom.edittasks;

import org.jspecify.annotations.NullMarked;
