package darkroom.rewardactors;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why an attempt to score gave no number.
 *
 * @param code stable and short, for counting: {@code timeout}, {@code http-500}, {@code low-mass}; the module's README lists all
 * @param detail what happened, one line for a reader
 * @param permanent whether asking again can give nothing else
 * @param retryAfter how long the scorer asked to be left alone, if it did
 */
record ScorerFault(
        String code,
        String detail,
        boolean permanent,
        @Nullable Duration retryAfter) {
    private static final int DETAIL_CHARS_MAX = 240;

    ScorerFault {
        detail = oneLine(detail);
    }

    /** A fault that may be gone at the next attempt. */
    static ScorerFault passing(String code, String detail) {
        return new ScorerFault(code, detail, false, null);
    }

    /** A fault that another attempt would meet again. */
    static ScorerFault permanent(String code, String detail) {
        return new ScorerFault(code, detail, true, null);
    }

    /** {@code code: detail}, the form in which reasons stand in ledgers and reports. */
    String reason() {
        return code + ": " + detail;
    }

    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        text.strip().codePoints().limit(DETAIL_CHARS_MAX).forEach(c -> {
            boolean halfPair = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE; // no UTF-8 encodes it
            boolean plain = !Character.isISOControl(c) && c != 0x2028 && c != 0x2029 && !halfPair;
            line.appendCodePoint(plain ? c : ' ');
        });
        if (text.strip().codePointCount(0, text.strip().length()) > DETAIL_CHARS_MAX) {
            line.append("...");
        }
        return line.toString();
    }
}
