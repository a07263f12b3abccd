/** What the cluster says to itself: protocols, the run supervisor, one keeper per image group, leases, group statistics, and references to tensors. */
@NullMarked
package darkroom.actors;

import org.jspecify.annotations.NullMarked;
