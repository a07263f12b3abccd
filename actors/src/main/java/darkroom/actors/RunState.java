package darkroom.actors;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * All that a run carries from one step to the next: what a checkpoint keeps. A run that starts from the state of another
 * one goes on as if it were that one (promise P-7).
 *
 * @param step steps committed; the next step has this number
 * @param publications the newest 1 + {@code rollout.staleness} versions, oldest first; at step 0 only version 0
 * @param verdictDigest chain of SHA-256 over all verdicts so far, in hexadecimal; empty at step 0
 */
public record RunState(int step, LearnerState learner, List<Publication> publications, String verdictDigest) {
    public RunState {
        publications = List.copyOf(publications);
    }

    /** Where a new run begins: version 0 is the old policy of {@code learner}. */
    public static RunState fresh(LearnerState learner) {
        Publication first = new Publication(new PolicyVersion(0), learner.old(), PromptBan.NONE);
        return new RunState(0, learner, List.of(first), "");
    }

    /** Every tensor of the state, once. */
    public Set<TensorRef> tensors() {
        Set<TensorRef> all = new LinkedHashSet<>(learner.tensors());
        publications.forEach(publication -> all.add(publication.weights()));
        return all;
    }

    /** The version whose images step {@code step} is trained on: fixed by the configuration, never by timing. */
    static PolicyVersion versionFor(int step, int staleness) {
        return new PolicyVersion(Math.max(0, step - staleness));
    }

    /** The state after the step was committed with {@code learned}. */
    RunState committed(LearnerState learned, PromptBan ban, int staleness, String digest) {
        List<Publication> all = new ArrayList<>(publications);
        all.add(new Publication(new PolicyVersion(step + 1L), learned.old(), ban));
        long oldestNeeded = versionFor(step + 1, staleness).value();
        all.removeIf(publication -> publication.version().value() < oldestNeeded);
        return new RunState(step + 1, learned, all, digest);
    }

    /** What draws next. */
    public Publication newest() {
        return publications.getLast();
    }
}
