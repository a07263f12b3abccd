package darkroom.actors.ledger;

import java.util.List;

/** The events of one atomic write: one row of a journal. */
record LedgerBatch(List<LedgerEvent> events) {
    LedgerBatch {
        events = List.copyOf(events);
    }
}
