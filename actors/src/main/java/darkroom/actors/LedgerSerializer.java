package darkroom.actors;

import java.nio.charset.StandardCharsets;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Pages and snapshots of a ledger as UTF-8 text: a page is a line for each event ({@link LedgerFormat}), a snapshot the number of events
 * ever written and then a line for each event that is kept. Made by Pekko, by name.
 */
final class LedgerSerializer extends SerializerWithStringManifest {
    /** Manifest of a page, which the journal keeps beside it. */
    static final String PAGE = "page";

    /** Manifest of a snapshot. */
    static final String BOOK = "book";

    /** Kept beside every page and snapshot, so it stays. */
    private static final int IDENTIFIER = 0x1ed6e5;

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object object) {
        return object instanceof LedgerBook ? BOOK : PAGE;
    }

    @Override
    public byte[] toBinary(Object object) {
        String text =
                switch (object) {
                    case LedgerPage page -> LedgerFormat.write(page.events());
                    case LedgerBook book -> LedgerFormat.write(book);
                    default -> throw new IllegalArgumentException(object.getClass() + " is not of a ledger");
                };
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return switch (manifest) {
            case PAGE -> new LedgerPage(LedgerFormat.readLines(text));
            case BOOK -> LedgerFormat.readBook(text);
            default -> throw new LedgerException("manifest=" + manifest + " is neither of a page nor of a snapshot");
        };
    }
}
