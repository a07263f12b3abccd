package darkroom.actors.ledger;

import java.nio.charset.StandardCharsets;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Serializes batches and snapshots of a ledger as UTF-8 text: a batch is one line per event ({@link LedgerFormat}), a
 * snapshot is the number of events ever written and then one line per kept event. Created by Pekko, by name.
 */
final class LedgerSerializer extends SerializerWithStringManifest {
    /** Manifest of a batch, stored with it in the journal. */
    static final String PAGE = "page";

    /** Manifest of a snapshot. */
    static final String SNAPSHOT = "book";

    /** Stored with every batch and snapshot, so it must not change. */
    private static final int IDENTIFIER = 0x1ed6e5;

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object object) {
        return object instanceof LedgerSnapshot ? SNAPSHOT : PAGE;
    }

    @Override
    public byte[] toBinary(Object object) {
        String text =
                switch (object) {
                    case LedgerBatch page -> LedgerFormat.write(page.events());
                    case LedgerSnapshot snapshot -> LedgerFormat.write(snapshot);
                    default -> throw new IllegalArgumentException(object.getClass() + " is not of a ledger");
                };
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return switch (manifest) {
            case PAGE -> new LedgerBatch(LedgerFormat.readLines(text));
            case SNAPSHOT -> LedgerFormat.readSnapshot(text);
            default -> throw new LedgerException("manifest=" + manifest + " is neither of a page nor of a snapshot");
        };
    }
}
