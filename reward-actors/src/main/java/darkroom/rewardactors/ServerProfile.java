package darkroom.rewardactors;

import java.util.List;
import java.util.Optional;

/**
 * What a server is, found out before it is asked for scores.
 *
 * @param model name that requests carry
 * @param version of the server; empty if it does not say
 * @param rung on which it is asked
 * @param labelIds token ids of the labels, in their order; empty unless the rung needs them
 * @param refused why it can score nothing, whatever it is asked
 */
record ServerProfile(String model, String version, Rung rung, List<Integer> labelIds, Optional<ScorerFault> refused) {
    /** Sent where a server serves one model and lists none. */
    static final String MODEL_UNKNOWN = "default";

    ServerProfile {
        labelIds = List.copyOf(labelIds);
    }

    static ServerProfile plain(String model) {
        return new ServerProfile(model, "", Rung.TOP, List.of(), Optional.empty());
    }

    /** The model, and how and by what it was asked: recorded with each score. */
    String describe() {
        return version.isEmpty() && rung == Rung.TOP
                ? model
                : "%s [%s%s]".formatted(model, rung.code(), version.isEmpty() ? "" : ", version " + version);
    }
}
