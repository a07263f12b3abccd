package darkroom.actors.statistics;

import darkroom.config.GroupSettings;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Rows that are never generated again: their group had a standard deviation below {@code groups.spread-threshold} and a mean
 * above {@code groups.mean-threshold}, both strictly, whatever rule the filter follows (public code, not in the paper).
 * Rows are known by identity, never by text.
 *
 * @param rows banned rows, ascending
 */
public record PromptBan(SortedSet<String> rows) {
    /** An empty ban. */
    public static final PromptBan NONE = new PromptBan(Collections.emptySortedSet());

    public PromptBan {
        rows = Collections.unmodifiableSortedSet(new TreeSet<>(rows));
    }

    /** Creates a ban of these rows, as kept in a checkpoint. */
    public static PromptBan of(Collection<String> rows) {
        return new PromptBan(new TreeSet<>(rows));
    }

    /** Returns the ban after a step; unchanged unless {@code groups.ban-prompts} is on. */
    public PromptBan after(StepStatistics step, GroupSettings settings) {
        if (!settings.banPrompts()) {
            return this;
        }
        TreeSet<String> next = new TreeSet<>(rows);
        for (GroupStatistics group : step.groups()) {
            boolean compared =
                    switch (group.decision()) {
                        case FilterDecision.Kept _, FilterDecision.Dropped _ -> true;
                        case FilterDecision.Abandoned _ -> false;
                    };
            if (compared
                    && group.std().orElseThrow() < settings.spreadThreshold()
                    && group.mean().orElseThrow() > settings.meanThreshold()) {
                next.add(group.row());
            }
        }
        return new PromptBan(next);
    }

    /** Returns whether the row is never generated again. */
    public boolean bans(String row) {
        return rows.contains(row);
    }
}
