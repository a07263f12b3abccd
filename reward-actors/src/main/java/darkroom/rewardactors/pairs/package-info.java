/**
 * Scores of pairs of pictures from a file, for darkroom score.
 *
 * <ul>
 *   <li><b>Start reading:</b> PairScorer.
 *   <li><b>Not here:</b> Runs and groups.
 *   <li><b>Promises:</b> P-3.
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.pairs;

import org.jspecify.annotations.NullMarked;
