/**
 * Test vectors of models: what diffusers computed, computed again by the code that generates and trains.
 *
 * <ul>
 *   <li><b>Start reading:</b> ModelVerification for a folder of cases, FluxCases for the kinds of one model.
 *   <li><b>Not here:</b> The computation itself.
 *   <li><b>Promises:</b> A case is compared whole; an output that is missing or not finite fails.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.cases;

import org.jspecify.annotations.NullMarked;
