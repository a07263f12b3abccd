/**
 * Group statistics: rewards relative to their group, and the decision whether a group is kept, dropped or banned.
 *
 * <ul>
 *   <li><b>Start reading:</b> GroupStatistics for one group, StepStatistics for all groups of a step, FilterDecision for
 *       the decision.
 *   <li><b>Not here:</b> Actors, tensors and anything that takes time: these are pure functions.
 *   <li><b>Promises:</b> P-1, P-3 (an image without a score never counts as one with a score).
 * </ul>
 */
@NullMarked
package darkroom.actors.statistics;

import org.jspecify.annotations.NullMarked;
