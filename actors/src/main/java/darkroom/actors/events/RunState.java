package darkroom.actors.events;

import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.statistics.PromptBan;
import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The state that a run carries from one step to the next, as kept in a checkpoint. A run that starts from the state of
 * another one continues as if it were that one (promise P-7).
 *
 * @param step steps committed; the next step has this number
 * @param policyReleases the newest 1 + {@code rollout.staleness} versions, oldest first; at step 0 only version 0
 * @param decisionDigest chain of SHA-256 over all decisions so far, in hexadecimal; empty at step 0
 */
public record RunState(int step, LearnerState learner, List<PolicyRelease> policyReleases, String decisionDigest) {
    public RunState {
        policyReleases = List.copyOf(policyReleases);
    }

    /** Returns the initial state of a new run: version 0 is the old policy of {@code learner}. */
    public static RunState fresh(LearnerState learner) {
        PolicyRelease first = new PolicyRelease(new PolicyVersion(0), learner.old(), PromptBan.NONE);
        return new RunState(0, learner, List.of(first), "");
    }

    /** Returns every tensor of the state, once. */
    public Set<TensorRef> tensors() {
        Set<TensorRef> all = new LinkedHashSet<>(learner.tensors());
        policyReleases.forEach(policyRelease -> all.add(policyRelease.weights()));
        return all;
    }

    /** Returns the version whose images step {@code step} is trained on: fixed by the configuration, never by timing. */
    public static PolicyVersion versionFor(int step, int staleness) {
        return new PolicyVersion(Math.max(0, step - staleness));
    }

    /** Returns the state after the step was committed with {@code learned}. */
    public RunState committed(LearnerState learned, PromptBan ban, int staleness, String digest) {
        List<PolicyRelease> all = new ArrayList<>(policyReleases);
        all.add(new PolicyRelease(new PolicyVersion(step + 1L), learned.old(), ban));
        long oldestNeeded = versionFor(step + 1, staleness).value();
        all.removeIf(policyRelease -> policyRelease.version().value() < oldestNeeded);
        return new RunState(step + 1, learned, all, digest);
    }

    /** Returns the newest policy release, used for the next rollouts. */
    public PolicyRelease newest() {
        return policyReleases.getLast();
    }
}
