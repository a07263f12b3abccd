package darkroom.actors;

/** A ledger that cannot be read, written or believed; the message says what and where. */
public final class LedgerException extends RuntimeException {
    /** @param message what is wrong */
    public LedgerException(String message) {
        super(message);
    }

    /** @param message what is wrong */
    public LedgerException(String message, Throwable cause) {
        super(message, cause);
    }
}
