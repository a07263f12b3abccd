package darkroom.actors.ledger;

import darkroom.actors.events.StepTally;
import darkroom.actors.statistics.GroupRewards;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Audits a ledger without trusting any of its contents.
 *
 * <ul>
 *   <li><b>LA-1</b> issued = counted + dropped + unscored + abandoned, in every committed step (promise P-2).
 *   <li><b>LA-2</b> Every slot of a committed step has one fate, and the fates add up to the tally.
 *   <li><b>LA-3</b> The chain of decisions matches the recorded scores and decisions.
 *   <li><b>LA-4</b> Steps are committed once, one after the other, and every writer began from what was committed.
 *   <li><b>LA-5</b> Writers have growing numbers.
 * </ul>
 *
 * LA-2 and LA-3 apply to steps for which more than the commit is kept.
 */
public final class LedgerAudit {
    private final List<String> findings = new ArrayList<>();
    private final Map<Integer, LedgerEvent.StepCommitted> commits = new TreeMap<>();
    private final Map<Integer, Slots> steps = new TreeMap<>();
    private final Set<Integer> beginnings = new HashSet<>();
    private int detailed;

    /** The recorded events of one step. */
    private static final class Slots {
        LedgerEvent.@Nullable StepOpened opened;
        final Set<Integer> generated = new HashSet<>();
        final Set<Integer> lost = new HashSet<>();
        final Map<Integer, LedgerEvent.Fate> fates = new HashMap<>();
        final Map<Integer, Map<Integer, LedgerEvent.SampleOutcome>> outcomes = new HashMap<>();
    }

    private LedgerAudit() {}

    /**
     * Result of an audit.
     *
     * @param steps committed steps
     * @param detailed those of them that were audited slot by slot
     * @param findings problems with their places; empty if the ledger keeps its laws
     */
    public record Report(int steps, int detailed, List<String> findings) {
        public Report {
            findings = List.copyOf(findings);
        }
    }

    /** Audits the whole ledger snapshot. */
    public static Report of(LedgerSnapshot snapshot) {
        LedgerAudit audit = new LedgerAudit();
        int epoch = 0;
        for (LedgerEvent event : snapshot.events()) {
            if (event instanceof LedgerEvent.RunOpened opened) {
                audit.require(
                        opened.epoch() > epoch, "LA-5", "writer %d follows writer %d".formatted(opened.epoch(), epoch));
                epoch = opened.epoch();
                audit.beginning(opened);
            } else {
                audit.note(event);
            }
        }
        audit.commits.values().forEach(audit::check);
        return new Report(audit.commits.size(), audit.detailed, audit.findings);
    }

    private void require(boolean holds, String law, String message) {
        if (!holds) {
            findings.add(law + ": " + message);
        }
    }

    private void beginning(LedgerEvent.RunOpened opened) {
        beginnings.add(opened.step());
        LedgerEvent.StepCommitted commit = commits.get(opened.step() - 1);
        require(
                commit == null || commit.digests().equals(opened.digests()),
                "LA-4",
                "writer %d began after step %d from %s, and that step was committed otherwise"
                        .formatted(opened.epoch(), opened.step() - 1, opened.digests()));
    }

    private void note(LedgerEvent event) {
        Slots step = steps.computeIfAbsent(event.step(), _ -> new Slots());
        switch (event) {
            case LedgerEvent.StepOpened opened -> {
                require(step.opened == null, "LA-2", "step %d was opened twice".formatted(event.step()));
                step.opened = opened;
            }
            case LedgerEvent.GroupGenerated group ->
                require(
                        step.generated.add(group.group()),
                        "LA-2",
                        "step %d group %d was generated twice".formatted(group.step(), group.group()));
            case LedgerEvent.SampleOutcome fate ->
                require(
                        step.outcomes
                                        .computeIfAbsent(fate.group(), _ -> new HashMap<>())
                                        .putIfAbsent(fate.slot(), fate)
                                == null,
                        "LA-2",
                        "step %d group %d slot %d has two fates".formatted(fate.step(), fate.group(), fate.slot()));
            case LedgerEvent.GroupLost group ->
                require(
                        step.lost.add(group.group()),
                        "LA-2",
                        "step %d group %d was lost twice".formatted(group.step(), group.group()));
            case LedgerEvent.GroupJudged group ->
                require(
                        step.fates.putIfAbsent(group.group(), group.fate()) == null,
                        "LA-2",
                        "step %d group %d has two decisions".formatted(group.step(), group.group()));
            case LedgerEvent.StepCommitted commit ->
                require(
                        commits.putIfAbsent(commit.step(), commit) == null,
                        "LA-4",
                        "step %d was committed twice".formatted(commit.step()));
            case LedgerEvent.CheckpointWritten _, LedgerEvent.RunOpened _ -> {}
        }
    }

    private void check(LedgerEvent.StepCommitted commit) {
        StepTally tally = commit.tally();
        require(
                tally.issued() == tally.counted() + tally.dropped() + tally.unscored() + tally.abandoned(),
                "LA-1",
                "step %d: %s does not add up".formatted(commit.step(), tally));
        require(
                commits.containsKey(commit.step() - 1) || beginnings.contains(commit.step()),
                "LA-4",
                "step %d is committed, the step before it is not".formatted(commit.step()));
        Slots slots = Objects.requireNonNull(steps.get(commit.step()));
        if (slots.opened != null) {
            detailed++;
            checkSlots(commit, slots, slots.opened);
        }
    }

    private void checkSlots(LedgerEvent.StepCommitted commit, Slots slots, LedgerEvent.StepOpened opened) {
        int counted = 0;
        int dropped = 0;
        int unscored = 0;
        int abandoned = 0;
        List<GroupRewards> rewards = new ArrayList<>();
        List<LedgerEvent.Fate> fates = new ArrayList<>();
        for (int group = 0; group < opened.rows().size(); group++) {
            LedgerEvent.Fate fate = slots.fates.get(group);
            Map<Integer, LedgerEvent.SampleOutcome> outcomes = slots.outcomes.getOrDefault(group, Map.of());
            boolean whole = fate != null
                    && (slots.lost.contains(group)
                            ? outcomes.isEmpty()
                            : slots.generated.contains(group) && isWhole(outcomes, opened.slots()));
            if (!whole) {
                require(false, "LA-2", "step %d group %d: not every slot has one fate".formatted(commit.step(), group));
                return;
            }
            int scored = (int) outcomes.values().stream()
                    .filter(LedgerEvent.SlotScored.class::isInstance)
                    .count();
            unscored += slots.lost.contains(group) ? 0 : opened.slots() - scored;
            switch (Objects.requireNonNull(fate)) {
                case KEPT -> counted += scored;
                case DROPPED -> dropped += scored;
                case ABANDONED -> abandoned += slots.lost.contains(group) ? opened.slots() : scored;
            }
            fates.add(fate);
            rewards.add(new GroupRewards(
                    group,
                    opened.rows().get(group),
                    IntStream.range(0, opened.slots())
                            .mapToObj(slot -> reward(outcomes.get(slot)))
                            .toList()));
        }
        int issued = opened.slots() * opened.rows().size();
        StepTally found = new StepTally(issued, counted, dropped, unscored, abandoned);
        require(
                found.equals(commit.tally()),
                "LA-2",
                "step %d has %s, and the commit says %s".formatted(commit.step(), found, commit.tally()));
        checkChain(commit, rewards, fates);
    }

    private static boolean isWhole(Map<Integer, LedgerEvent.SampleOutcome> outcomes, int slots) {
        return outcomes.keySet().equals(IntStream.range(0, slots).boxed().collect(Collectors.toSet()));
    }

    private static OptionalDouble reward(LedgerEvent.@Nullable SampleOutcome fate) {
        return fate instanceof LedgerEvent.SlotScored scored
                ? OptionalDouble.of(scored.score())
                : OptionalDouble.empty();
    }

    private void checkChain(
            LedgerEvent.StepCommitted commit, List<GroupRewards> rewards, List<LedgerEvent.Fate> fates) {
        LedgerEvent.StepCommitted before = commits.get(commit.step() - 1);
        if (before == null && commit.step() > 0) {
            return;
        }
        String chain = before == null ? "" : before.digests().decisions();
        require(
                commit.digests().decisions().equals(RunDigests.decisionsAfter(chain, commit.step(), fates, rewards)),
                "LA-3",
                "step %d: the digest of the decisions is not that of the scores and decisions that are recorded"
                        .formatted(commit.step()));
    }
}
