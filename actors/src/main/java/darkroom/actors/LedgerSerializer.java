package darkroom.actors;

import java.nio.charset.StandardCharsets;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Events and snapshots of a ledger as UTF-8 text: an event is its line ({@link LedgerFormat}), a snapshot the number of events
 * ever written and then a line for each event that is kept. Made by Pekko, by name.
 */
final class LedgerSerializer extends SerializerWithStringManifest {
    /** Manifest of an event, which the journal keeps beside it. */
    static final String EVENT = "event";

    /** Manifest of a snapshot. */
    static final String BOOK = "book";

    /** Kept beside every event and snapshot, so it stays. */
    private static final int IDENTIFIER = 0x1ed6e5;

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object object) {
        return object instanceof LedgerBook ? BOOK : EVENT;
    }

    @Override
    public byte[] toBinary(Object object) {
        String text =
                switch (object) {
                    case LedgerEvent event -> LedgerFormat.write(event);
                    case LedgerBook book -> LedgerFormat.write(book);
                    default -> throw new IllegalArgumentException(object.getClass() + " is not of a ledger");
                };
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return switch (manifest) {
            case EVENT -> LedgerFormat.read(text);
            case BOOK -> LedgerFormat.readBook(text);
            default -> throw new LedgerException("manifest=" + manifest + " is neither of an event nor of a snapshot");
        };
    }
}
