package darkroom.rewardactors;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** One image on its way to a score, with the words that are asked about it and the requests that were sent. */
final class ScorerCall {
    private final ScoreRequest request;
    private final String text;
    private final int key;
    private final AtomicInteger sent = new AtomicInteger();

    ScorerCall(ScoreRequest request, String text) {
        this.request = request;
        this.text = text;
        this.key = keyOf(request, text);
    }

    ScoreRequest request() {
        return request;
    }

    /** The template with the row's words in it. */
    String text() {
        return text;
    }

    /** The same pictures and words give the same key, in every run; not negative. */
    int key() {
        return key;
    }

    /** Requests for a score that were sent so far. */
    int sent() {
        return sent.get();
    }

    void countSent() {
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
