package darkroom.actors.ledger;

import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The ledger as seen by a group coordinator.
 *
 * @param generated the images, if they were generated before
 * @param outcomes recorded outcomes, by slot
 * @param ledger receives further events
 */
public record GroupLedger(
        Optional<LedgerEvent.GroupGenerated> generated,
        Map<Integer, ScoreOutcome> outcomes,
        ActorRef<Ledger.Command> ledger) {
    public GroupLedger {
        outcomes = Map.copyOf(outcomes);
    }

    /** Computes the digests of the images, reading every byte: they are tensors of this node. */
    public static LedgerEvent.GroupGenerated digest(RolloutUnit rollout, RolloutResult images, TensorStore store) {
        List<LedgerEvent.ImageDigest> digests = new ArrayList<>();
        for (RolloutResult.Image image : images.images()) {
            digests.add(new LedgerEvent.ImageDigest(digest(store, image.learned()), digest(store, image.pixels())));
        }
        return new LedgerEvent.GroupGenerated(
                rollout.step(), rollout.group(), rollout.policy().value(), digests);
    }

    private static String digest(TensorStore store, TensorRef tensor) {
        MemorySegment bytes = store.read(tensor);
        return RunDigests.sha256(bytes);
    }

    /** Returns how two rollouts differ; empty if they are the same. */
    public static String difference(LedgerEvent.GroupGenerated before, LedgerEvent.GroupGenerated now) {
        if (before.version() != now.version()) {
            return "step %d group %d was generated with policy version %d, and is generated with version %d"
                    .formatted(now.step(), now.group(), before.version(), now.version());
        }
        if (before.images().size() != now.images().size()) {
            return "step %d group %d had %d images, and has %d"
                    .formatted(
                            now.step(),
                            now.group(),
                            before.images().size(),
                            now.images().size());
        }
        for (int slot = 0; slot < now.images().size(); slot++) {
            if (!before.images().get(slot).equals(now.images().get(slot))) {
                return "step %d group %d slot %d is generated as %s, and the ledger has %s: this machine computes other bits, or the settings are others"
                        .formatted(
                                now.step(),
                                now.group(),
                                slot,
                                now.images().get(slot),
                                before.images().get(slot));
            }
        }
        return "";
    }
}
