package darkroom.actors.run;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.MemoryLedger;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.LimitSettings;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a run that is killed at some moment and resumed from a checkpoint and its ledger: with a scorer that never gives
 * the same answer twice, it is still the same run.
 */
class ExactResumeTest {
    private static final int STEPS = 4;
    private static final int WORLDS = 40;
    private static final RunEvent.End COMPLETED = new RunEvent.End.Completed();
    private static final LimitSettings IMPATIENT = new LimitSettings(
            4,
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            80,
            Duration.ofMillis(400),
            1 << 24,
            Duration.ofSeconds(25));

    private static WorldRun calm(long worldSeed, RunSettings settings) {
        return new WorldRun(worldSeed, settings, StopWhen.NEVER);
    }

    private static ScriptedScorer moody(WorldRun run, long mood) {
        return ScriptedScorer.of(new SplittableRandom(mood), run.world.late(Duration.ofMillis(40)));
    }

    private static WorldRun with(WorldRun run, ScriptedScorer scorer) {
        run.guardian.tell(
                new RunGuardian.Offer("here", run.devicePool(2, 2, _ -> FaultyDevice.Happening.WELL, scorer)));
        return run;
    }

    private static Map<ImageAddress, ScoreOutcome> recorded(LedgerSnapshot snapshot) {
        Map<ImageAddress, ScoreOutcome> outcomes = new HashMap<>();
        for (LedgerEvent event : snapshot.events()) {
            if (event instanceof LedgerEvent.SampleOutcome fate) {
                assertThat(outcomes.put(
                                new ImageAddress("run", fate.step(), fate.group(), fate.slot()), fate.outcome()))
                        .as("P-2: one fate of %s", fate)
                        .isNull();
            }
        }
        return outcomes;
    }

    /** The digests of a run that was never stopped and whose scorer gives the recorded answers. */
    private static List<RunDigests> undisturbed(RunSettings settings, Map<ImageAddress, ScoreOutcome> recorded) {
        try (WorldRun run = calm(1, settings)) {
            ScriptedScorer scorer = ScriptedScorer.saying(
                    image -> requireNonNull(recorded.get(image), image.toString()),
                    run.world.late(Duration.ofMillis(40)));
            assertThat(with(run, scorer).start(STEPS).toTheEnd().end()).isEqualTo(COMPLETED);
            return run.digests;
        }
    }

    private static List<RunDigests> committed(LedgerSnapshot snapshot) {
        return snapshot.events().stream()
                .filter(LedgerEvent.StepCommitted.class::isInstance)
                .map(event -> ((LedgerEvent.StepCommitted) event).digests())
                .toList();
    }

    /** P-2, P-5, P-7, GC-8, RS-8, RS-9: killed anywhere, resumed from any earlier checkpoint, twice. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void a_run_that_is_killed_anywhere_asks_about_no_recorded_image_again_and_ends_as_if_never_stopped(int staleness) {
        RunSettings settings = Settings.run(staleness, IMPATIENT);
        int recordedInTheMiddle = 0;
        for (int worldSeed = 0; worldSeed < WORLDS; worldSeed++) {
            MemoryLedger ledger = new MemoryLedger();
            try (WorldRun first = calm(worldSeed, settings)) {
                first.ledger = ledger;
                with(first, moody(first, worldSeed)).start(STEPS);
                killAtSomeMoment(first);
                Map<ImageAddress, ScoreOutcome> before = recorded(ledger.snapshot("run"));
                int commits = first.checkpoints.size();
                int from = first.world.chance().nextInt(commits + 1);
                recordedInTheMiddle += (int) before.keySet().stream()
                        .filter(image -> image.step() >= commits)
                        .count();
                try (WorldRun second = calm(worldSeed + 1000, settings)) {
                    second.ledger = ledger;
                    ScriptedScorer scorer = moody(second, worldSeed + 1000);
                    RunState state = from == 0 ? second.fresh() : second.restored(first, from - 1);
                    with(second, scorer).start(second.order(state, STEPS, null));
                    RunEvent.Ended ended = second.toTheEnd();
                    assertThat(ended.end()).as("world seed %d", worldSeed).isEqualTo(COMPLETED);
                    assertNoneAgain(before.keySet(), scorer);
                    second.world.close();
                    assertThat(second.digests)
                            .as("world seed %d, from step %d", worldSeed, from)
                            .isEqualTo(undisturbed(settings, recorded(ledger.snapshot("run")))
                                    .subList(from, STEPS));
                    assertThat(committed(ledger.snapshot("run"))).hasSize(STEPS);
                    assertThat(second.store.tensorsHeld())
                            .isEqualTo(ended.state().tensors().size());
                }
            }
        }
        assertThat(recordedInTheMiddle)
                .as("images that had a score in a step that was not committed")
                .isGreaterThan(5 * WORLDS);
    }

    private static void killAtSomeMoment(WorldRun run) {
        int slots = 30 * STEPS;
        int scores = 1 + run.world.chance().nextInt(slots);
        run.world.runUntil(
                () -> recorded(run.ledger.snapshot("run")).size() >= scores || run.ended.hasMessages(),
                Duration.ofDays(1));
        run.world.close();
    }

    private static void assertNoneAgain(Set<ImageAddress> recorded, ScriptedScorer scorer) {
        Set<ImageAddress> again = new HashSet<>(scorer.asked.keySet());
        again.retainAll(recorded);
        assertThat(again).as("asked about again").isEmpty();
        assertThat(scorer.asked.values()).as("times asked about an image").allMatch(times -> times == 1);
    }

    /** P-5: lost events at the end of the journal are produced again; kept ones stand. */
    @Test
    void a_ledger_that_lost_its_last_events_is_a_beginning_like_any_other() {
        RunSettings settings = Settings.run(1, IMPATIENT);
        MemoryLedger whole = new MemoryLedger();
        try (WorldRun first = calm(3, settings)) {
            first.ledger = whole;
            assertThat(with(first, moody(first, 3)).start(STEPS).toTheEnd().end())
                    .isEqualTo(COMPLETED);
            first.world.close();
            List<LedgerEvent> events = whole.snapshot("run").events();
            for (int kept = 0; kept < events.size(); kept += 7) {
                LedgerSnapshot torn = LedgerSnapshot.of(kept, events.subList(0, kept));
                try (WorldRun second = calm(kept, settings)) {
                    second.ledger.replace("run", torn);
                    ScriptedScorer scorer = moody(second, kept + 50);
                    with(second, scorer).start(STEPS);
                    assertThat(second.toTheEnd().end())
                            .as("torn after %d", kept)
                            .isEqualTo(COMPLETED);
                    assertNoneAgain(recorded(torn).keySet(), scorer);
                    second.world.close();
                    assertThat(second.digests)
                            .isEqualTo(undisturbed(settings, recorded(second.ledger.snapshot("run"))));
                }
            }
        }
    }

    /** GC-8. */
    @Test
    void an_image_that_is_drawn_otherwise_than_it_was_ends_the_run_with_its_name() {
        String message = failureWith(event -> event
                                instanceof
                                LedgerEvent.GroupGenerated(
                                        int step,
                                        int group,
                                        long version,
                                        List<LedgerEvent.ImageDigest> images)
                        && step == 1
                        && group == 2
                ? new LedgerEvent.GroupGenerated(step, group, version, altered(images, 3))
                : event);
        assertThat(message).contains("step 1 group 2 slot 3");
    }

    /** RS-9. */
    @Test
    void a_step_that_is_computed_otherwise_than_it_was_ends_the_run_with_its_name() {
        assertThat(failureWith(event -> event instanceof LedgerEvent.StepCommitted commit && commit.step() == 1
                        ? new LedgerEvent.StepCommitted(1, new RunDigests("x", "y", "z"), commit.tally())
                        : event))
                .contains("step 1", "the ledger has");
        assertThat(failureWith(event -> event instanceof LedgerEvent.StepOpened opened && opened.step() == 2
                        ? new LedgerEvent.StepOpened(2, opened.version(), opened.slots(), List.of("other"))
                        : event))
                .contains("step 2", "other");
        assertThat(failureWith(event -> event instanceof LedgerEvent.GroupJudged judged && judged.step() == 1
                        ? new LedgerEvent.GroupJudged(1, judged.group(), other(judged.fate()), "because")
                        : event))
                .contains("step 1 group 0");
    }

    /** LG-4. */
    @Test
    void a_run_does_not_begin_from_a_state_that_is_not_the_recorded_one() {
        RunSettings settings = Settings.run(0, IMPATIENT);
        try (WorldRun first = calm(3, settings)) {
            with(first, moody(first, 3)).start(STEPS);
            assertThat(first.toTheEnd().end()).isEqualTo(COMPLETED);
            first.world.close();
            try (WorldRun other = calm(4, settings)) {
                with(other, moody(other, 4)).start(STEPS);
                assertThat(other.toTheEnd().end()).isEqualTo(COMPLETED);
                other.world.close();
                try (WorldRun second = calm(5, settings)) {
                    second.ledger = first.ledger;
                    with(second, moody(second, 5)).start(second.order(second.restored(other, 1), STEPS, null));
                    RunEvent.Ended ended = second.toTheEnd();
                    assertThat(ended.end())
                            .isInstanceOf(RunEvent.End.Failed.class)
                            .asString()
                            .contains("after step 1");
                }
            }
        }
    }

    /** LG-2: the run has continued elsewhere; a writer that wakes up late writes nothing, and ends. */
    @Test
    void a_supervisor_that_was_followed_by_another_writes_nothing_more_and_ends() {
        RunSettings settings = Settings.run(0, IMPATIENT);
        try (WorldRun first = calm(3, settings)) {
            with(first, moody(first, 3)).start(STEPS);
            first.world.runUntil(() -> first.checkpoints.size() == 1, Duration.ofDays(1));
            LedgerSnapshot followed = first.ledger.snapshot("run");
            LedgerEvent.StepCommitted last = (LedgerEvent.StepCommitted) followed.events().stream()
                    .filter(LedgerEvent.StepCommitted.class::isInstance)
                    .toList()
                    .getLast();
            followed = followed.with(followed.nextWriter(1, last.digests()));
            first.ledger.replace("run", followed);
            RunEvent.Ended ended = first.toTheEnd();
            assertThat(ended.end())
                    .isInstanceOf(RunEvent.End.Failed.class)
                    .asString()
                    .contains("followed by writer 2");
            assertThat(first.ledger.snapshot("run").written()).isEqualTo(followed.written());
            assertThat(ended.state().step()).isEqualTo(1);
        }
    }

    /** LB-1: checkpoints bound what is kept, and what is kept is enough. */
    @Test
    void a_ledger_that_is_reduced_at_checkpoints_still_resumes_the_run() {
        RunSettings settings = Settings.run(0, IMPATIENT);
        try (WorldRun first = calm(3, settings)) {
            first.listener = event -> {
                if (event instanceof RunEvent.StepCommitted commit && commit.step() == 1) {
                    first.unrecorded.add(new LedgerEvent.CheckpointWritten(2, "digest", 2));
                }
            };
            with(first, moody(first, 3)).start(STEPS);
            first.world.runUntil(
                    () -> recorded(first.ledger.snapshot("run")).keySet().stream()
                                    .filter(image -> image.step() == 2)
                                    .count()
                            > 10,
                    Duration.ofDays(1));
            LedgerSnapshot snapshot = first.ledger.snapshot("run");
            assertThat(recorded(snapshot).keySet()).isNotEmpty().allMatch(image -> image.step() >= 2);
            first.world.close();
            try (WorldRun second = calm(4, settings)) {
                second.ledger = first.ledger;
                ScriptedScorer scorer = moody(second, 4);
                with(second, scorer).start(second.order(second.restored(first, 1), STEPS, null));
                assertThat(second.toTheEnd().end()).isEqualTo(COMPLETED);
                assertNoneAgain(recorded(snapshot).keySet(), scorer);
            }
        }
    }

    private interface Alteration {
        LedgerEvent of(LedgerEvent event);
    }

    /** Runs, alters the recorded events, resumes from the beginning; returns the failure of the second run. */
    private static String failureWith(Alteration alteration) {
        RunSettings settings = Settings.run(0, IMPATIENT);
        try (WorldRun first = calm(3, settings)) {
            with(first, moody(first, 3)).start(STEPS);
            assertThat(first.toTheEnd().end()).isEqualTo(COMPLETED);
            first.world.close();
            List<LedgerEvent> altered = new ArrayList<>();
            first.ledger.snapshot("run").events().forEach(event -> altered.add(alteration.of(event)));
            assertThat(altered).isNotEqualTo(first.ledger.snapshot("run").events());
            try (WorldRun second = calm(4, settings)) {
                second.ledger.replace("run", LedgerSnapshot.of(altered.size(), altered));
                with(second, moody(second, 4)).start(STEPS);
                RunEvent.Ended ended = second.toTheEnd();
                assertThat(ended.end()).isInstanceOf(RunEvent.End.Failed.class);
                assertThat(second.promptsAlive).hasValue(0);
                assertThat(second.store.tensorsHeld())
                        .isEqualTo(ended.state().tensors().size());
                return ended.end().toString();
            }
        }
    }

    private static List<LedgerEvent.ImageDigest> altered(List<LedgerEvent.ImageDigest> images, int slot) {
        List<LedgerEvent.ImageDigest> altered = new ArrayList<>(images);
        altered.set(slot, new LedgerEvent.ImageDigest("other", images.get(slot).pixels()));
        return altered;
    }

    private static LedgerEvent.Fate other(LedgerEvent.Fate fate) {
        return fate == LedgerEvent.Fate.KEPT ? LedgerEvent.Fate.DROPPED : LedgerEvent.Fate.KEPT;
    }
}
