/**
 * Off-heap tensors with references, and the tensor plane that moves them between processes by shared memory and Aeron.
 *
 * <ul>
 *   <li><b>Start reading:</b> TensorStore and OffHeapTensorStore for memory of this process, TensorPlane for the interface
 *       between processes, AeronTensorPlane for its rules (TP-1 to TP-13), PlaneThread and PlaneLife for its thread and its
 *       states, PlaneAgent for what that thread does.
 *   <li><b>Not here:</b> Anything that knows what a tensor means: images, weights and gradients are bytes with a checksum
 *       here. No Pekko, no settings files.
 *   <li><b>Promises:</b> P-4 (every transfer ends), P-8 (bytes stay out of mailboxes), P-9 (bounded memory).
 * </ul>
 */
@NullMarked
package darkroom.tensors;

import org.jspecify.annotations.NullMarked;
