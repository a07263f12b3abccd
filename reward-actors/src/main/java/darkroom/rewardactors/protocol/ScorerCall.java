package darkroom.rewardactors.protocol;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** State of one image to be scored: its prompt and the requests that were sent. */
public final class ScorerCall {
    private final ScoreRequest request;
    private final String text;
    private final int key;
    private final AtomicInteger sent = new AtomicInteger();

    public ScorerCall(ScoreRequest request, String text) {
        this.request = request;
        this.text = text;
        this.key = keyOf(request, text);
    }

    ScoreRequest request() {
        return request;
    }

    /** Returns the template filled with the row's text. */
    String text() {
        return text;
    }

    /** Returns a key that is equal for equal pictures and text, in every run; not negative. */
    public int key() {
        return key;
    }

    /** Returns the number of requests for a score so far. */
    public int sent() {
        return sent.get();
    }

    public void countSent() {
        sent.incrementAndGet();
    }

    private static int keyOf(ScoreRequest request, String text) {
        CRC32C crc = new CRC32C();
        crc.update(request.source().toBytes());
        crc.update(request.edited().toBytes());
        if (request.reference() != null) {
            crc.update(request.reference().toBytes());
        }
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return (int) (crc.getValue() & Integer.MAX_VALUE);
    }
}
