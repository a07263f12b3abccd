package darkroom.runtime;

import darkroom.actors.Prompt;
import darkroom.actors.PromptBan;
import darkroom.actors.PromptSource;
import darkroom.actors.RandomKey;
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
    private final OpenPrompts open;

    RowPrompts(Rows rows, long seed, int groupsPerStep, OpenPrompts open) {
        this.rows = rows;
        this.seed = seed;
        this.groupsPerStep = groupsPerStep;
        this.open = open;
    }

    @Override
    public List<Prompt> prompts(int step, PromptBan ban) {
        List<Row> drawn = new ArrayList<>(groupsPerStep);
        for (int index :
                RandomKey.of(seed, RandomKey.Purpose.PROMPTS).atStep(step).permutation(rows.size())) {
            if (drawn.size() == groupsPerStep) {
                break;
            }
            Row row = rows.row(index);
            if (!ban.bans(row.id())) {
                drawn.add(row);
            }
        }
        if (drawn.size() < groupsPerStep) {
            throw new IllegalStateException(
                    "only %d of %d rows are not banned, rollout.groups-per-step=%d. Lower it, add rows, or set groups.ban-prompts=false."
                            .formatted(drawn.size(), rows.size(), groupsPerStep));
        }
        return open.open(drawn);
    }

    @Override
    public void release(List<Prompt> prompts) {
        open.close(prompts);
    }
}
