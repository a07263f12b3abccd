package darkroom.rewardactors;

import darkroom.actors.Token;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a request to a server is known by, and its answer with it where the server says so.
 *
 * @param text sent as {@link #HEADER}; unique among the requests of all processes, in containers and on other machines too
 */
record RequestId(String text) {
    static final String HEADER = "X-Request-Id";

    private static final Pattern OURS = Pattern.compile("darkroom-[0-9a-f]+-\\d+");
    private static final String PROCESS = "darkroom-" + Token.suffix() + "-";
    private static final AtomicLong REQUESTS = new AtomicLong();

    static RequestId next() {
        return new RequestId(PROCESS + REQUESTS.incrementAndGet());
    }

    /** Why an answer is not believed: it names another request. Servers that name none are not asked to. */
    Optional<ScorerFault> strange(ChatAnswer answer, ScorerHttp.Reply.Body body) {
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
