package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StepTally;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.statistics.StepStatistics;
import darkroom.actors.workqueue.DevicePool;
import darkroom.config.GroupSettings;
import darkroom.config.RunSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests whole runs in a simulated world, and the laws of their supervisor. */
class RunSupervisorTest {
    private static final int STEPS = 4;
    private static final RunEvent.End COMPLETED = new RunEvent.End.Completed();

    private static WorldRun run(RunSettings settings) {
        return run(settings, StopWhen.NEVER);
    }

    private static WorldRun run(RunSettings settings, StopWhen stopWhen) {
        WorldRun run = new WorldRun(5, settings, stopWhen);
        run.guardian.tell(new RunGuardian.Offer("here", run.devicePool(3, 2, run.faults(0, 0, 0))));
        return run;
    }

    private static List<RunDigests> digests(int staleness, int steps) {
        try (WorldRun run = run(Settings.run(staleness)).start(steps)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            return run.digests;
        }
    }

    /** RS-5: one end, and of the run only the final state is left. */
    private static void assertLeavesItsStateAlone(WorldRun run, RunEvent.Ended ended) {
        assertThat(run.ended.hasMessages()).as("RS-5: it ends once").isFalse();
        assertThat(run.promptsAlive).hasValue(0);
        assertThat(run.store.tensorsHeld()).isEqualTo(ended.state().tensors().size());
        ended.state().tensors().forEach(run.store::release);
        assertThat(run.store.bytesHeld()).isZero();
    }

    private static GroupSettings groups(double meanThreshold, double spreadThreshold, boolean ban) {
        return new GroupSettings(
                true,
                GroupSettings.Rule.OR,
                GroupSettings.Spread.STD,
                meanThreshold,
                spreadThreshold,
                GroupSettings.Normaliser.GLOBAL,
                1e-4,
                5,
                ban,
                3);
    }

    /** RS-1, P-6. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void step_s_is_drawn_with_the_version_that_staleness_says(int staleness) {
        Map<Integer, Set<Long>> versions = new TreeMap<>();
        Map<Long, TensorRef> published = new TreeMap<>();
        try (WorldRun run = new WorldRun(5, Settings.run(staleness), StopWhen.NEVER)) {
            run.guardian.tell(new RunGuardian.Offer("here", run.devicePool(3, 2, unit -> {
                if (unit instanceof RolloutUnit rollout) {
                    versions.computeIfAbsent(rollout.step(), _ -> new HashSet<>())
                            .add(rollout.policy().value());
                    assertThat(published.putIfAbsent(rollout.policy().value(), rollout.weights()))
                            .isIn(null, rollout.weights());
                }
                return FaultyDevice.Happening.WELL;
            })));
            assertThat(run.start(STEPS).toTheEnd().end()).isEqualTo(COMPLETED);
            for (int step = 0; step < STEPS; step++) {
                assertThat(versions.get(step)).containsExactly((long) Math.max(0, step - staleness));
            }
            for (RunEvent.StepCommitted commit : run.heard(RunEvent.StepCommitted.class)) {
                long version = commit.step() + 1L;
                assertThat(commit.state().newest().version().value()).isEqualTo(version);
                assertThat(published.getOrDefault(
                                version, commit.state().learner().old()))
                        .isEqualTo(commit.state().learner().old());
            }
        }
    }

    /** RS-1: the ban of step s is that of the version used for its rollouts, not the newest. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void prompts_are_chosen_under_the_ban_of_the_version_that_draws_them(int staleness) {
        RunSettings settings = Settings.run(7, staleness, groups(0.45, 0.3, true), Settings.LIMITS);
        try (WorldRun run = run(settings).start(STEPS)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            List<PromptBan> afterStep = run.heard(RunEvent.StepCommitted.class).stream()
                    .map(commit -> commit.state().newest().ban())
                    .toList();
            assertThat(afterStep.getLast().rows()).isNotEmpty();
            for (int step = 0; step < STEPS; step++) {
                int version = Math.max(0, step - staleness);
                assertThat(run.bansMet.get(step)).isEqualTo(version == 0 ? PromptBan.NONE : afterStep.get(version - 1));
            }
        }
    }

    /** RS-2, RS-3, P-2: the law of the slots holds at every commit. */
    @Test
    void steps_are_committed_in_order_and_every_slot_has_one_fate() {
        RunSettings settings = Settings.run(1);
        try (WorldRun run = run(settings).start(STEPS)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            List<RunEvent.StepCommitted> commits = run.heard(RunEvent.StepCommitted.class);
            assertThat(commits.stream().map(RunEvent.StepCommitted::step)).containsExactly(0, 1, 2, 3);
            int slots = settings.rollout().groupsPerStep() * settings.rollout().imagesPerGroup();
            Set<ImageAddress> generated = new HashSet<>();
            for (RunEvent.StepCommitted commit : commits) {
                StepTally tally = commit.tally();
                assertThat(tally.issued()).isEqualTo(slots);
                assertThat(tally.counted() + tally.dropped() + tally.unscored() + tally.abandoned())
                        .isEqualTo(slots);
                assertThat(tally.unscored()).isPositive();
                assertThat(commit.trainingSamples())
                        .isEqualTo(tally.counted() * settings.training().timestepsPerImage());
            }
            for (RunEvent.GroupFinished finished : run.heard(RunEvent.GroupFinished.class)) {
                RolloutUnit rollout = finished.ending().rollout();
                for (int slot = 0; slot < rollout.slots(); slot++) {
                    assertThat(generated.add(new ImageAddress(rollout.run(), rollout.step(), rollout.group(), slot)))
                            .isTrue();
                }
            }
            assertThat(generated).hasSize(STEPS * slots);
        }
    }

    /** RS-3, P-2: a step whose slots do not add up is not learned. */
    @Test
    void a_group_that_is_missing_or_there_twice_is_refused() {
        try (WorldRun run = run(Settings.run(0)).start(1)) {
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            List<GroupOutcome> endings = run.heard(RunEvent.GroupCompared.class).stream()
                    .map(RunEvent.GroupCompared::ending)
                    .toList();
            List<RolloutUnit> issued =
                    endings.stream().map(GroupOutcome::rollout).toList();
            assertThat(tally(issued, endings).issued()).isPositive();
            assertThatThrownBy(() -> tally(issued, endings.subList(1, endings.size())))
                    .hasMessageContaining("promise P-2");
            assertThatThrownBy(() -> tally(issued.subList(1, issued.size()), endings))
                    .hasMessageContaining("promise P-2");
            GroupOutcome.Finished whole = (GroupOutcome.Finished) endings.getFirst();
            List<GroupOutcome> short1 = new ArrayList<>(endings);
            short1.set(
                    0,
                    new GroupOutcome.Finished(
                            whole.rollout(), whole.generated(), whole.outcomes().subList(1, 4), whole.generatedAt()));
            assertThatThrownBy(() -> tally(issued, short1)).hasMessageContaining("promise P-2");
        }
    }

    private static StepTally tally(List<RolloutUnit> issued, List<GroupOutcome> endings) {
        List<GroupRewards> rewards = endings.stream().map(GroupOutcome::rewards).toList();
        return StepTally.of(issued, endings, StepStatistics.of(rewards, Settings.GROUPS));
    }

    /** RS-4. */
    @Test
    void a_step_that_teaches_nothing_is_committed_without_an_optimizer_step() {
        RunSettings settings = Settings.run(7, 0, groups(0, 1, false), Settings.LIMITS);
        try (WorldRun run = run(settings).start(STEPS)) {
            RunEvent.Ended ended = run.toTheEnd();
            assertThat(ended.end()).isEqualTo(COMPLETED);
            assertThat(ended.state().step()).isEqualTo(STEPS);
            assertThat(ended.state().learner().optimizerSteps()).isZero();
            assertThat(run.heard(RunEvent.StepCommitted.class))
                    .allMatch(commit -> commit.passes().isEmpty() && commit.trainingSamples() == 0);
            assertThat(run.digests.stream().map(RunDigests::weights).distinct()).hasSize(1);
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** RS-5, RS-6, P-7: asked at any moment, it stops at a commit, and a run resumed from there is the same run. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void asked_to_finish_at_any_moment_it_stops_at_a_commit(int staleness) {
        List<RunDigests> expected = digests(staleness, STEPS);
        Set<Integer> stoppedAfter = new HashSet<>();
        for (int moment = 0; moment < 60; moment += 4) {
            try (WorldRun run = run(Settings.run(staleness)).start(STEPS)) {
                int events = moment;
                run.world.runUntil(() -> run.heard.size() >= events || run.ended.hasMessages(), Duration.ofDays(1));
                run.guardian.tell(new RunGuardian.FinishStep());
                RunEvent.Ended ended = run.toTheEnd();
                int commits = ended.state().step();
                assertThat(ended.end()).isEqualTo(commits == STEPS ? COMPLETED : new RunEvent.End.ByRequest());
                assertThat(run.digests).hasSize(commits).isEqualTo(expected.subList(0, commits));
                stoppedAfter.add(commits);
                int kept = run.checkpoints.size();
                assertLeavesItsStateAlone(run, ended);
                run.world.close();
                if (commits < STEPS && moment % 8 == 0) {
                    try (WorldRun rest = run(Settings.run(staleness))) {
                        rest.start(rest.order(rest.restored(run, kept - 1), STEPS, null));
                        assertThat(rest.toTheEnd().end()).isEqualTo(COMPLETED);
                        assertThat(rest.digests).isEqualTo(expected.subList(commits, STEPS));
                    }
                }
            }
        }
        assertThat(stoppedAfter).hasSizeGreaterThan(2);
    }

    /** RS-6: nothing is lost, and the process ends before it is killed. */
    @ParameterizedTest
    @ValueSource(strings = {"rollout", "reward", "trainer", "all"})
    void a_run_that_waits_for_workers_that_are_not_there_ends_at_once_when_it_is_asked_to(String missing) {
        try (WorldRun run = new WorldRun(5, Settings.run(1), StopWhen.NEVER)) {
            DevicePool all = run.devicePool(3, 2);
            run.guardian.tell(new RunGuardian.Offer(
                    "here",
                    new DevicePool(
                            missing.equals("rollout") || missing.equals("all") ? List.of() : all.rollout(),
                            missing.equals("reward") || missing.equals("all") ? List.of() : all.reward(),
                            missing.equals("trainer") || missing.equals("all") ? List.of() : all.trainer())));
            run.start(STEPS);
            run.world.pass(Duration.ofSeconds(3));
            assertThat(run.ended.hasMessages()).as("it waits").isFalse();
            run.guardian.tell(new RunGuardian.FinishStep());
            assertThat(run.world.runUntil(run.ended::hasMessages, Duration.ofMillis(100)))
                    .isTrue();
            RunEvent.Ended ended = run.toTheEnd();
            assertThat(ended.end()).isEqualTo(new RunEvent.End.ByRequest());
            assertThat(ended.state().step()).isZero();
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** RS-6. */
    @Test
    void a_rule_stops_the_run_with_the_step_that_it_looked_at() {
        StopWhen afterTwo = (commit, _) -> commit.step() == 1 ? Optional.of("two are enough") : Optional.empty();
        List<RunDigests> expected = digests(1, STEPS);
        try (WorldRun run = run(Settings.run(1), afterTwo).start(STEPS)) {
            RunEvent.Ended ended = run.toTheEnd();
            assertThat(ended.end()).isEqualTo(new RunEvent.End.ByRule("two are enough"));
            assertThat(ended.state().step()).isEqualTo(2);
            assertThat(run.digests).isEqualTo(expected.subList(0, 2));
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** RS-7, EV-2, and the rule sees the measured values. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void validation_changes_no_bit(int staleness) {
        List<RunDigests> expected = digests(staleness, STEPS);
        List<Integer> measured = new ArrayList<>();
        StopWhen looking = (commit, validation) -> {
            validation.ifPresent(found -> measured.add(found.endings().size() + 10 * commit.step()));
            return Optional.empty();
        };
        try (WorldRun run = run(Settings.run(staleness), looking)) {
            List<Prompt> held = List.of(run.devices.prompt("held-1"), run.devices.prompt("held-2"));
            run.start(run.order(run.fresh(), STEPS, new ValidationPlan(2, 1, held, 3)));
            RunEvent.Ended ended = run.toTheEnd();
            assertThat(ended.end()).isEqualTo(COMPLETED);
            assertThat(run.digests).isEqualTo(expected);
            assertThat(measured).containsExactly(2 + 10, 2 + 30);
            held.forEach(prompt -> run.store.release(prompt.source()));
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** RS-5: whichever event the listener fails at. */
    @ParameterizedTest
    @CsvSource({"0, false", "1, false", "1, true"})
    void a_listener_that_fails_ends_the_run_and_nothing_leaks(int staleness, boolean validating) {
        for (int failing = 1; failing < 60; failing += 3) {
            try (WorldRun run = run(Settings.run(staleness))) {
                int[] heardOfRun = {failing};
                run.listener = event -> {
                    if (!(event instanceof WorkQueueEvent) && --heardOfRun[0] == 0) {
                        throw new IllegalStateException("the disk is full");
                    }
                };
                List<Prompt> held = List.of(run.devices.prompt("held-1"), run.devices.prompt("held-2"));
                run.start(run.order(run.fresh(), STEPS, validating ? new ValidationPlan(1, 1, held, 3) : null));
                RunEvent.Ended ended = run.toTheEnd();
                if (heardOfRun[0] <= 0 && ended.end() instanceof RunEvent.End.Failed(String message)) {
                    assertThat(message).contains("the disk is full");
                } else {
                    assertThat(ended.end()).isEqualTo(COMPLETED);
                }
                held.forEach(prompt -> run.store.release(prompt.source()));
                assertThat(run.store.tensorsHeld())
                        .as("tensors left after the listener failed at event %d", failing)
                        .isEqualTo(ended.state().tensors().size());
                assertThat(run.promptsAlive).hasValue(0);
            }
        }
    }

    /** RS-5. */
    @Test
    void a_run_without_prompts_fails_and_says_at_which_step() {
        try (WorldRun run = run(Settings.run(1))) {
            run.rowsEndAtStep = 2;
            RunEvent.Ended ended = run.start(STEPS).toTheEnd();
            assertThat(ended.end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("step 2");
            assertThat(ended.state().step()).isLessThanOrEqualTo(2);
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** RS-5, P-9: a unit that no worker can process ends the run with its name. */
    @Test
    void a_unit_that_fails_everywhere_ends_the_run_with_its_name() {
        try (WorldRun run = new WorldRun(5, Settings.run(0), StopWhen.NEVER)) {
            run.guardian.tell(new RunGuardian.Offer(
                    "here",
                    run.devicePool(
                            2,
                            1,
                            unit -> unit.name().equals("rollout run step 1 group 2")
                                    ? FaultyDevice.Happening.FAILS
                                    : FaultyDevice.Happening.WELL)));
            RunEvent.Ended ended = run.start(STEPS).toTheEnd();
            assertThat(ended.end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("rollout run step 1 group 2", "limits.work-attempts-max=50");
            assertThat(ended.state().step()).isEqualTo(1);
            assertLeavesItsStateAlone(run, ended);
        }
    }

    /** P-9: groups.in.flight is a bound, with staleness too. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void no_more_groups_are_open_than_the_limit_says(int staleness) {
        RunSettings settings = Settings.run(staleness);
        Set<String> begun = new HashSet<>();
        int[] most = {0};
        try (WorldRun run = new WorldRun(5, settings, StopWhen.NEVER)) {
            run.guardian.tell(new RunGuardian.Offer("here", run.devicePool(9, 2, unit -> {
                if (unit instanceof RolloutUnit) {
                    begun.add(unit.name());
                    most[0] = Math.max(
                            most[0],
                            begun.size()
                                    - run.heard(RunEvent.GroupFinished.class).size());
                }
                return FaultyDevice.Happening.WELL;
            })));
            assertThat(run.start(STEPS).toTheEnd().end()).isEqualTo(COMPLETED);
        }
        assertThat(most[0]).isEqualTo(settings.limits().groupsInFlightMax());
    }

    /** A second run during another one is refused; afterwards the guardian accepts the next. */
    @Test
    void a_guardian_runs_one_run_at_a_time() {
        try (WorldRun run = run(Settings.run(0)).start(1)) {
            RunState second = run.fresh();
            run.start(run.order(second, 1, null));
            run.world.settle();
            RunEvent.Ended refused = run.ended.receiveMessage();
            assertThat(refused.end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("going on");
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            run.start(run.order(second, 1, null));
            assertThat(run.toTheEnd().end()).isEqualTo(COMPLETED);
            assertThat(run.digests.getFirst()).isEqualTo(run.digests.getLast());
        }
    }

    /** No silent hang: the requester of a run is notified even if its supervisor dies of an error. */
    @Test
    void a_run_whose_supervisor_dies_ends_as_failed() {
        try (WorldRun run = run(Settings.run(0))) {
            run.listener = event -> {
                if (event instanceof RunEvent.GroupCompared) {
                    throw new AssertionError("a bug in a listener");
                }
            };
            assertThat(run.start(STEPS).toTheEnd().end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("supervisor died");
        }
    }

    /** P-3: a group with too few scores is abandoned, visibly. */
    @Test
    void unscored_slots_are_no_numbers() {
        List<OptionalDouble> rewards = new ArrayList<>(List.of(OptionalDouble.of(0), OptionalDouble.of(1)));
        rewards.addAll(List.of(OptionalDouble.empty(), OptionalDouble.empty()));
        StepStatistics step = StepStatistics.of(List.of(new GroupRewards(0, "row", rewards)), Settings.GROUPS);
        assertThat(step.groups().getFirst().decision()).isInstanceOf(FilterDecision.Abandoned.class);
        assertThat(step.mean()).hasValue(0.5);
        assertThat(step.unscored()).isEqualTo(2);
    }
}
