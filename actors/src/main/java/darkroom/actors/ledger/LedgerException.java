package darkroom.actors.ledger;

/** Thrown when a ledger cannot be read, written or trusted; the message names the problem and its place. */
public final class LedgerException extends RuntimeException {
    /**
     * @param message description of the problem
     */
    public LedgerException(String message) {
        super(message);
    }

    /**
     * @param message description of the problem
     */
    public LedgerException(String message, Throwable cause) {
        super(message, cause);
    }
}
