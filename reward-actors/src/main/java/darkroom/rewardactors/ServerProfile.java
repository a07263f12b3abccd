package darkroom.rewardactors;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a server is, found out before it is asked for scores.
 *
 * @param model name that requests carry
 * @param version of the server; empty if it does not say
 * @param rung on which it is asked
 * @param labelIds token ids of the labels, in their order; empty unless the rung needs them
 * @param vllm whether it takes vLLM's own fields
 * @param refused why it can score nothing, whatever it is asked
 */
record ServerProfile(
        String model, String version, Rung rung, List<Integer> labelIds, boolean vllm, Optional<ScorerFault> refused) {
    /** Sent where a server serves one model and lists none. */
    static final String MODEL_UNKNOWN = "default";

    ServerProfile {
        labelIds = List.copyOf(labelIds);
    }

    static ServerProfile plain(String model, boolean vllm) {
        return new ServerProfile(model, "", Rung.TOP, List.of(), vllm, Optional.empty());
    }

    /**
     * The model, how it was asked, by which server, and in which words: recorded with each score.
     *
     * @param prompt names the words; empty if there are none
     */
    String describe(String prompt) {
        List<String> parts = new ArrayList<>();
        if (!version.isEmpty() || rung != Rung.TOP) {
            parts.add(rung.code());
        }
        if (!version.isEmpty()) {
            parts.add("version " + version);
        }
        if (!prompt.isEmpty()) {
            parts.add("prompt " + prompt);
        }
        return parts.isEmpty() ? model : "%s [%s]".formatted(model, String.join(", ", parts));
    }
}
