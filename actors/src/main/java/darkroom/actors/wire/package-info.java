/**
 * The serializer of messages between nodes, and the wire version of a build.
 *
 * <ul>
 *   <li><b>Start reading:</b> WireClasses for what may cross and its ids, WireTypes for the layout of a record, WireVersion
 *       for when to increment it.
 *   <li><b>Not here:</b> Messages themselves: a record implements WireMessage next to its actor.
 *   <li><b>Promises:</b> P-8 (no message between nodes can hold a tensor).
 * </ul>
 */
@NullMarked
package darkroom.actors.wire;

import org.jspecify.annotations.NullMarked;
