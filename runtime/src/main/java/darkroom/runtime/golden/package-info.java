/**
 * Verification of this build against test vectors of the method that the public code computed.
 *
 * <ul>
 *   <li><b>Start reading:</b> GoldenVerification.
 *   <li><b>Not here:</b> Other tests.
 *   <li><b>Promises:</b> Every figure of the method is reproducible: darkroom verify.
 * </ul>
 */
@NullMarked
package darkroom.runtime.golden;

import org.jspecify.annotations.NullMarked;
