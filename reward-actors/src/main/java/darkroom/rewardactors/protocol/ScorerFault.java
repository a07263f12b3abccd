package darkroom.rewardactors.protocol;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Reason why an attempt to score gave no number.
 *
 * @param code stable and short, for counting: {@code timeout}, {@code http-500}, {@code low-mass}; all are in the module's
 *     README
 * @param detail what happened, in one line
 * @param permanent whether a retry cannot give another result
 * @param retryAfter delay that the scorer requested, if any
 */
public record ScorerFault(
        String code,
        String detail,
        boolean permanent,
        @Nullable Duration retryAfter) {
    private static final int DETAIL_CHARS_MAX = 240;

    public ScorerFault {
        detail = oneLine(detail);
    }

    /** Creates a fault that a retry may not meet. */
    public static ScorerFault passing(String code, String detail) {
        return new ScorerFault(code, detail, false, null);
    }

    /** Creates a fault that a retry would meet again. */
    public static ScorerFault permanent(String code, String detail) {
        return new ScorerFault(code, detail, true, null);
    }

    /** Returns {@code code: detail}, the form of reasons in ledgers and reports. */
    public String reason() {
        return code + ": " + detail;
    }

    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        text.strip().codePoints().limit(DETAIL_CHARS_MAX).forEach(c -> {
            boolean halfPair = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE; // not encodable in UTF-8
            boolean plain = !Character.isISOControl(c) && c != 0x2028 && c != 0x2029 && !halfPair;
            line.appendCodePoint(plain ? c : ' ');
        });
        if (text.strip().codePointCount(0, text.strip().length()) > DETAIL_CHARS_MAX) {
            line.append("...");
        }
        return line.toString();
    }
}
