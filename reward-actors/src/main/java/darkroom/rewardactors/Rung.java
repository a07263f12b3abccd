package darkroom.rewardactors;

/**
 * A way to get the label log-probabilities out of a server, the best first. A server is asked on one rung for as long as this
 * process knows it: on real servers requests of different rungs in one batch spoil each other's answers, with status 200.
 */
enum Rung {
    /** {@code logprob_token_ids}: exactly the labels, wherever they rank. */
    TOKEN_IDS("token-ids"),
    /** {@code structured_outputs} with a choice of the labels, and as many {@code top_logprobs} as there are labels. */
    CHOICE("choice"),
    /** {@code prompt_logprobs} of each label as the assistant's turn: one request a label. */
    PROMPT("prompt-logprobs"),
    /** {@code top_logprobs=20}: what every server offers; labels that are not among them count as 0. */
    TOP("top-20");

    private final String code;

    Rung(String code) {
        this.code = code;
    }

    /** As it stands in settings, ledgers and reports. */
    String code() {
        return code;
    }

    /** Whether an answer has a value for each label, so that a missing one is a fault. */
    boolean exact() {
        return this != TOP;
    }
}
