package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.ScorerFault;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Properties of a server, determined before it is asked for scores.
 *
 * @param model name that requests carry
 * @param version of the server; empty if it does not report one
 * @param logprobSource on which it is asked
 * @param labelIds token ids of the labels, in their order; empty unless the logprob source needs them
 * @param vllm whether it accepts vLLM's own fields
 * @param refused why it cannot score at all
 */
record ServerProfile(
        String model,
        String version,
        LogprobSource logprobSource,
        List<Integer> labelIds,
        boolean vllm,
        Optional<ScorerFault> refused) {
    /** Sent to a server that serves one model and lists none. */
    static final String MODEL_UNKNOWN = "default";

    ServerProfile {
        labelIds = List.copyOf(labelIds);
    }

    static ServerProfile plain(String model, boolean vllm) {
        return new ServerProfile(model, "", LogprobSource.TOP, List.of(), vllm, Optional.empty());
    }

    /**
     * Returns model, method, server and prompt: recorded with each score.
     *
     * @param prompt name of the prompt; empty without one
     */
    String describe(String prompt) {
        List<String> parts = new ArrayList<>();
        if (!version.isEmpty() || logprobSource != LogprobSource.TOP) {
            parts.add(logprobSource.code());
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
