package darkroom.actors;

import java.util.List;

/** What is written at once, and is there whole or not at all: one row of a journal. */
record LedgerPage(List<LedgerEvent> events) {
    LedgerPage {
        events = List.copyOf(events);
    }
}
