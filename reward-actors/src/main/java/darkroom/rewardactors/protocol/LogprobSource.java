package darkroom.rewardactors.protocol;

/**
 * A way to get the label log-probabilities from a server, the best first. A server is asked on one logprob source as long as
 * this process knows it: on real servers requests of different logprob sources in one batch spoil each other's answers, with
 * status 200.
 */
public enum LogprobSource {
    /** {@code logprob_token_ids}: exactly the labels, at any rank. */
    TOKEN_IDS("token-ids"),
    /** {@code structured_outputs} with a choice of the labels, and as many {@code top_logprobs} as labels. */
    CHOICE("choice"),
    /** {@code prompt_logprobs} of each label as the assistant's turn: one request per label. */
    PROMPT("prompt-logprobs"),
    /** {@code top_logprobs=20}: supported by every server; labels missing from them count as 0. */
    TOP("top-20");

    private final String code;

    LogprobSource(String code) {
        this.code = code;
    }

    /** Returns the name used in settings, ledgers and reports. */
    public String code() {
        return code;
    }

    /** Whether an answer has a value for each label, so that a missing one is a fault. */
    public boolean exact() {
        return this != TOP;
    }
}
