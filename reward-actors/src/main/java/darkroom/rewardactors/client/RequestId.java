package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.ChatAnswer;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.tensors.Token;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Identifies a request to a server, and its answer if the server repeats the id.
 *
 * @param text sent as {@link #HEADER}; unique among the requests of all processes, also in containers and on other machines
 */
public record RequestId(String text) {
    public static final String HEADER = "X-Request-Id";

    private static final Pattern OURS = Pattern.compile("darkroom-[0-9a-f]+-\\d+");
    private static final String PROCESS = "darkroom-" + Token.suffix() + "-";
    private static final AtomicLong REQUESTS = new AtomicLong();

    public static RequestId next() {
        return new RequestId(PROCESS + REQUESTS.incrementAndGet());
    }

    /** Returns a fault if the answer names another request. Servers need not name any. */
    public Optional<ScorerFault> strange(ChatAnswer answer, ScorerHttp.Reply.Body body) {
        Matcher named = OURS.matcher(answer.id() + " " + body.requestId());
        while (named.find()) {
            if (!named.group().equals(text)) {
                return Optional.of(
                        ScorerFault.passing("wrong-answer", "asked as " + text + ", answered as " + named.group()));
            }
        }
        return Optional.empty();
    }
}
