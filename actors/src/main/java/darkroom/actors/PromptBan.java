package darkroom.actors;

import darkroom.config.GroupSettings;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Rows that are never drawn again: their group had a standard deviation below {@code groups.spread-threshold} and a mean
 * above {@code groups.mean-threshold}, both strictly, whatever rule the filter follows (public code, not in the paper).
 * Rows are known by identity, never by text.
 *
 * @param rows banned rows, ascending
 */
public record PromptBan(SortedSet<String> rows) {
    /** Nothing is banned. */
    public static final PromptBan NONE = new PromptBan(Collections.emptySortedSet());

    public PromptBan {
        rows = Collections.unmodifiableSortedSet(new TreeSet<>(rows));
    }

    /** A ban of these rows, as a checkpoint keeps it. */
    public static PromptBan of(Collection<String> rows) {
        return new PromptBan(new TreeSet<>(rows));
    }

    /** The ban after a step; unchanged unless {@code groups.ban-prompts} is on. */
    public PromptBan after(StepStatistics step, GroupSettings settings) {
        if (!settings.banPrompts()) {
            return this;
        }
        TreeSet<String> next = new TreeSet<>(rows);
        for (GroupStatistics group : step.groups()) {
            boolean compared =
                    switch (group.verdict()) {
                        case Verdict.Kept _, Verdict.Dropped _ -> true;
                        case Verdict.Abandoned _ -> false;
                    };
            if (compared
                    && group.std().orElseThrow() < settings.spreadThreshold()
                    && group.mean().orElseThrow() > settings.meanThreshold()) {
                next.add(group.row());
            }
        }
        return new PromptBan(next);
    }

    /** Whether the row is never drawn again. */
    public boolean bans(String row) {
        return rows.contains(row);
    }
}
