/**
 * The HTTP server of this repository: routes, bounds and errors of the small servers on loopback.
 *
 * <ul>
 *   <li><b>Start reading:</b> HttpRouter; a handler maps a RoutedRequest to an HttpAnswer or a RefusedRequestException.
 *   <li><b>Not here:</b> What is served: see the packages judge and simulation, and the status page in runtime. HTTP
 *       clients: see the package client.
 *   <li><b>Promises:</b> P-4 (every request is answered or its connection is closed), P-9 (every bound has a name).
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.http;

import org.jspecify.annotations.NullMarked;
