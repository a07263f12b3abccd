package darkroom.runtime.run;

import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.numeric.RandomKey;
import darkroom.actors.statistics.PromptBan;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Prompts of a run from the rows of a dataset: every step takes the first G rows of its own keyed permutation that are
 * not banned; rows of larger weight tend to come first. The rows of a step are a function of (seed, step, ban) and of
 * nothing else.
 */
public final class RowPrompts implements PromptSource {
    private final Rows rows;
    private final long seed;
    private final int groupsPerStep;
    private final OpenPrompts open;

    public RowPrompts(Rows rows, long seed, int groupsPerStep, OpenPrompts open) {
        this.rows = rows;
        this.seed = seed;
        this.groupsPerStep = groupsPerStep;
        this.open = open;
    }

    @Override
    public List<Prompt> prompts(int step, PromptBan ban) {
        List<Row> generated = new ArrayList<>(groupsPerStep);
        for (int index : order(RandomKey.of(seed, RandomKey.Purpose.PROMPTS).atStep(step))) {
            if (generated.size() == groupsPerStep) {
                break;
            }
            Row row = rows.row(index);
            if (!ban.bans(row.id())) {
                generated.add(row);
            }
        }
        if (generated.size() < groupsPerStep) {
            throw new IllegalStateException(
                    "only %d of %d rows are not banned, rollout.groups-per-step=%d. Lower it, add rows, or set groups.ban-prompts=false."
                            .formatted(generated.size(), rows.size(), groupsPerStep));
        }
        return open.open(generated);
    }

    /**
     * Returns the rows in the order of a step. If weights differ, a row comes first with a probability proportional to
     * its weight, and the same holds for those left after it: ascending {@code -ln(u) / weight} (Efraimidis and
     * Spirakis 2006).
     */
    private int[] order(RandomKey key) {
        int size = rows.size();
        boolean same = true;
        for (int i = 1; i < size; i++) {
            same &= rows.weight(i) == rows.weight(0);
        }
        if (same) {
            return key.permutation(size);
        }
        double[] uniforms = key.uniforms(size);
        double[] places = new double[size];
        Integer[] order = new Integer[size];
        for (int i = 0; i < size; i++) {
            places[i] = -StrictMath.log(uniforms[i]) / rows.weight(i);
            order[i] = i;
        }
        Arrays.sort(order, Comparator.comparingDouble((Integer i) -> places[i]).thenComparing(i -> i));
        return Arrays.stream(order).mapToInt(i -> i).toArray();
    }

    @Override
    public void release(List<Prompt> prompts) {
        open.close(prompts);
    }
}
