/**
 * Events of a run and the values that they carry, for recording or showing a run.
 *
 * <ul>
 *   <li><b>Start reading:</b> RunEvent, a sealed interface; RunListener for the receiving side; ListenerQueue for the bound
 *       between both.
 *   <li><b>Not here:</b> Decisions: an event reports what an actor has already done.
 *   <li><b>Promises:</b> P-9 (a slow listener costs events, never the run).
 * </ul>
 */
@NullMarked
package darkroom.actors.events;

import org.jspecify.annotations.NullMarked;
