/**
 * The ledger: records the fate of every image before it is acted on.
 *
 * <ul>
 *   <li><b>Start reading:</b> Ledger for the protocol, LedgerEvent for the events, RunLedger for batching and fencing (LG-1
 *       and following), LedgerAudit for the check.
 *   <li><b>Not here:</b> Tensors (the ledger holds digests) and databases: runtime chooses the journal.
 *   <li><b>Promises:</b> P-2 (exactly once), P-5 (any process may die), P-7 (exact resume).
 * </ul>
 */
@NullMarked
package darkroom.actors.ledger;

import org.jspecify.annotations.NullMarked;
