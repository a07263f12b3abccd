package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.config.RunSettings;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.report.FlatGroups;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Supplier;

/** The rules by which a run ends before its last step. */
final class StopRules {
    private StopRules() {}

    /**
     * Returns all rules of a run as one, which gives the first reason to stop.
     *
     * @param scorers describes who scores, for messages
     * @param measures validation measures by step so far
     */
    static StopWhen of(PreparedRun run, Supplier<String> scorers, Supplier<SortedMap<Integer, Double>> measures) {
        RunSettings settings = run.settings();
        RunDirectory files = new RunDirectory(run.directory());
        StopWhen silent = new ScorersSilent(ScorersSilent.recorded(files.metrics()));
        StopWhen flat = new FlatGroups(
                settings.scoring().flatGroupsWarn(),
                settings.scoring().flatGroupsMax(),
                FlatGroups.recorded(files.decisions()),
                scorers);
        StopWhen stall = new ValidationStall(settings.evaluation().patience(), measures);
        StopWhen rows =
                new RowsLeft(run.data().train().size(), settings.rollout().groupsPerStep());
        return (committed, validation) -> first(committed, validation, List.of(silent, flat, stall, rows));
    }

    /** Applies every rule to the step and returns the first reason to stop. */
    private static Optional<String> first(
            RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation, List<StopWhen> rules) {
        return rules.stream().map(rule -> rule.reason(committed, validation)).toList().stream()
                .flatMap(Optional::stream)
                .findFirst();
    }
}
