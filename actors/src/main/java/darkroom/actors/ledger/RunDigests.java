package darkroom.actors.ledger;

import darkroom.actors.device.LearnerState;
import darkroom.actors.events.RunState;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.StepStatistics;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Digests that two runs must share to be the same run (promise P-1), SHA-256 in hexadecimal.
 *
 * @param weights of the trained weights, the old policy, and the evaluation average
 * @param optimizer of both moments and the number of optimizer steps
 * @param decisions of every score and every decision of every step, in order
 */
public record RunDigests(String weights, String optimizer, String decisions) {

    /** Computes the digests, reading all tensors of the learner: some tens of milliseconds for millions of parameters. */
    public static RunDigests of(TensorStore store, RunState state) {
        LearnerState learner = state.learner();
        MessageDigest weights = sha256();
        for (TensorRef tensor : List.of(learner.trained(), learner.old(), learner.average())) {
            weights.update(store.read(tensor).asByteBuffer());
        }
        MessageDigest optimizer = sha256();
        for (TensorRef tensor : List.of(learner.firstMoment(), learner.secondMoment())) {
            optimizer.update(store.read(tensor).asByteBuffer());
        }
        optimizer.update(Long.toString(learner.optimizerSteps()).getBytes(StandardCharsets.UTF_8));
        return new RunDigests(hex(weights), hex(optimizer), state.decisionDigest());
    }

    /** Returns the chain of decisions, one step longer. Reasons and attempts are not in it: they may depend on timing. */
    public static String decisionsAfter(
            String before, int step, StepStatistics statistics, List<GroupRewards> rewards) {
        return decisionsAfter(
                before,
                step,
                statistics.groups().stream()
                        .map(group -> LedgerEvent.Fate.of(group.decision()))
                        .toList(),
                rewards);
    }

    /** @param fates of the groups, in the order of {@code rewards} */
    static String decisionsAfter(String before, int step, List<LedgerEvent.Fate> fates, List<GroupRewards> rewards) {
        MessageDigest digest = sha256();
        StringBuilder text = new StringBuilder(before).append("\nstep ").append(step);
        for (int i = 0; i < rewards.size(); i++) {
            GroupRewards group = rewards.get(i);
            text.append("\ngroup ").append(group.group()).append(' ').append(group.row());
            text.append(' ').append(word(fates.get(i)));
            group.rewards().forEach(reward -> text.append(' ')
                    .append(reward.isPresent() ? Double.toHexString(reward.getAsDouble()) : "unscored"));
        }
        digest.update(text.toString().getBytes(StandardCharsets.UTF_8));
        return hex(digest);
    }

    /** Returns the text of a fate in the chain. */
    private static String word(LedgerEvent.Fate fate) {
        return switch (fate) {
            case KEPT -> "Kept";
            case DROPPED -> "Dropped";
            case ABANDONED -> "Abandoned";
        };
    }

    /** Returns the digest in hexadecimal. */
    static String sha256(MemorySegment bytes) {
        MessageDigest digest = sha256();
        digest.update(bytes.asByteBuffer());
        return hex(digest);
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
