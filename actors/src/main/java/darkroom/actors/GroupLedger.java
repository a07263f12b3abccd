package darkroom.actors;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the keeper of a group has of the ledger.
 *
 * @param drawn the images, if they were drawn before
 * @param outcomes what scorers said before, by slot
 * @param ledger where more is written
 */
record GroupLedger(
        Optional<LedgerEvent.GroupDrawn> drawn, Map<Integer, ScoreOutcome> outcomes, ActorRef<Ledger.Command> ledger) {
    GroupLedger {
        outcomes = Map.copyOf(outcomes);
    }

    /** Reads every byte of the images: they are of this node. */
    static LedgerEvent.GroupDrawn digest(DrawUnit draw, Drawn images, TensorStore store) {
        List<LedgerEvent.ImageDigest> digests = new ArrayList<>();
        for (Drawn.Image image : images.images()) {
            digests.add(new LedgerEvent.ImageDigest(digest(store, image.learned()), digest(store, image.pixels())));
        }
        return new LedgerEvent.GroupDrawn(
                draw.step(), draw.group(), draw.policy().value(), digests);
    }

    private static String digest(TensorStore store, TensorRef tensor) {
        MemorySegment bytes = store.read(tensor);
        return RunDigests.sha256(bytes);
    }

    /** Empty if both are the same drawing. */
    static String difference(LedgerEvent.GroupDrawn before, LedgerEvent.GroupDrawn now) {
        if (before.version() != now.version()) {
            return "step %d group %d was drawn with policy version %d, and is drawn with version %d"
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
                return "step %d group %d slot %d is drawn as %s, and the ledger has %s: this machine computes other bits, or the settings are others"
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
