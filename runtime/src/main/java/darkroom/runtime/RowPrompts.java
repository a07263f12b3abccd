package darkroom.runtime;

import darkroom.actors.Prompt;
import darkroom.actors.PromptBan;
import darkroom.actors.PromptSource;
import darkroom.actors.RandomKey;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.edittasks.RgbImage;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Prompts of a run from the rows of a dataset: every step takes the first G rows of its own keyed permutation that are
 * not banned. Which rows a step has is a function of (seed, step, ban) and of nothing else.
 */
final class RowPrompts implements PromptSource {
    private final Rows rows;
    private final long seed;
    private final int groupsPerStep;
    private final TensorStore store;

    RowPrompts(Rows rows, long seed, int groupsPerStep, TensorStore store) {
        this.rows = rows;
        this.seed = seed;
        this.groupsPerStep = groupsPerStep;
        this.store = store;
    }

    @Override
    public List<Prompt> prompts(int step, PromptBan ban) {
        List<Prompt> prompts = new ArrayList<>(groupsPerStep);
        for (int index :
                RandomKey.of(seed, RandomKey.Purpose.PROMPTS).atStep(step).permutation(rows.size())) {
            if (prompts.size() == groupsPerStep) {
                break;
            }
            Row row = rows.row(index);
            if (!ban.bans(row.id())) {
                prompts.add(prompt(row, store));
            }
        }
        if (prompts.size() < groupsPerStep) {
            release(prompts);
            throw new IllegalStateException(
                    "only %d of %d rows are not banned, rollout.groups-per-step=%d. Lower it, add rows, or set groups.ban-prompts=false."
                            .formatted(prompts.size(), rows.size(), groupsPerStep));
        }
        return prompts;
    }

    @Override
    public void release(List<Prompt> prompts) {
        prompts.forEach(prompt -> release(prompt, store));
    }

    /** Puts the row's images into the store; the caller owns them. */
    static Prompt prompt(Row row, TensorStore store) {
        RgbImage reference = row.reference();
        return new Prompt(
                row.id(),
                row.taskType(),
                row.instruction(),
                row.requirement(),
                put(row.source(), store),
                reference == null ? null : put(reference, store));
    }

    static void release(Prompt prompt, TensorStore store) {
        store.release(prompt.source());
        if (prompt.reference() != null) {
            store.release(prompt.reference());
        }
    }

    private static TensorRef put(RgbImage image, TensorStore store) {
        return store.put(
                TensorRef.ElementType.UINT8,
                List.of(image.height(), image.width(), 3),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(image.rgb())));
    }
}
