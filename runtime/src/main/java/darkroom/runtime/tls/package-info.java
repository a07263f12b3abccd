/**
 * TLS between nodes, and messages that say what is wrong with it.
 *
 * <ul>
 *   <li><b>Start reading:</b> TlsEngines, then TlsProblem.
 *   <li><b>Not here:</b> TLS towards scorers: see the reward client.
 *   <li><b>Promises:</b> P-4: a TLS failure is named with the setting to look at.
 * </ul>
 */
@NullMarked
package darkroom.runtime.tls;

import org.jspecify.annotations.NullMarked;
