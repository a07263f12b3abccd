package darkroom.runtime.report;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.PassStatistics;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StepTally;
import darkroom.actors.events.StepTimings;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import darkroom.runtime.base.Measurement;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Events of a run with groups of {@value #SLOTS} images, as a listener receives them; no tensor is behind them. */
public final class ScriptedEvents {
    static final int SLOTS = 12;

    private static final TensorRef NOTHING = new TensorRef(0, "nowhere", TensorRef.ElementType.UINT8, List.of(0), 0);
    private static final Prompt PROMPT = new Prompt("row-0", "Add", "add a boat", "", NOTHING, null);

    private ScriptedEvents() {}

    static RunEvent.GroupFinished group(int step, int group) {
        return finished(rollout("run", RolloutUnit.Purpose.TRAINING, step, group));
    }

    static RunEvent.GroupFinished evaluationGroup(String evaluation, int group) {
        return finished(rollout(evaluation, RolloutUnit.Purpose.EVALUATION, 0, group));
    }

    static RunEvent.GroupFinished lostGroup(int step, int group, String message) {
        return new RunEvent.GroupFinished(
                "run",
                new GroupOutcome.Lost(
                        rollout("run", RolloutUnit.Purpose.TRAINING, step, group), new Fault.DropGroup(message)));
    }

    private static RolloutUnit rollout(String run, RolloutUnit.Purpose purpose, int step, int group) {
        return new RolloutUnit(run, 7, purpose, step, group, SLOTS, new PolicyVersion(step), NOTHING, PROMPT);
    }

    private static RunEvent.GroupFinished finished(RolloutUnit rollout) {
        List<RolloutResult.Image> images = Collections.nCopies(SLOTS, new RolloutResult.Image(NOTHING, NOTHING, null));
        List<ScoreOutcome> scores = Collections.nCopies(SLOTS, new ScoreOutcome.Scored(.5, 1, 1, "judge"));
        return new RunEvent.GroupFinished(
                rollout.run(), new GroupOutcome.Finished(rollout, new RolloutResult(images), scores, Instant.EPOCH));
    }

    /** Returns a step with {@code kept} groups and one dropped one; the step took two seconds. */
    public static RunEvent.StepCommitted committed(int step, double mean, int kept) {
        return committed(
                step,
                mean,
                kept,
                List.of(new PassStatistics(36, 3, .5, .01, 1), new PassStatistics(12, 1, .1, .05, 2)));
    }

    static RunEvent.StepCommitted committed(int step, double mean, int kept, List<PassStatistics> passes) {
        List<GroupStatistics> groups = IntStream.rangeClosed(0, kept)
                .mapToObj(group -> new GroupStatistics(
                        group,
                        "row-" + group,
                        SLOTS,
                        OptionalDouble.of(mean),
                        OptionalDouble.of(.1),
                        group < kept ? new FilterDecision.Kept("kept") : new FilterDecision.Dropped("dropped"),
                        Collections.nCopies(SLOTS, Optional.<GroupStatistics.RelativeReward>empty())))
                .toList();
        int images = SLOTS * (kept + 1);
        return new RunEvent.StepCommitted(
                step,
                new StepStatistics(images - 1, 1, OptionalDouble.of(mean), .15, groups),
                new StepTally(images, SLOTS * kept, SLOTS - 1, 1, 0),
                SLOTS * kept,
                passes,
                new StepTimings(
                        Duration.ofMillis(900),
                        Duration.ofMillis(100),
                        Duration.ZERO,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2)),
                state(step + 1));
    }

    /** Returns a step whose groups have {@code scored} scores each, and these standard deviations. */
    static RunEvent.StepCommitted step(int step, int scored, double... spreads) {
        List<GroupStatistics> groups = IntStream.range(0, spreads.length)
                .mapToObj(group -> new GroupStatistics(
                        group,
                        "row-" + group,
                        scored,
                        OptionalDouble.of(.5),
                        OptionalDouble.of(spreads[group]),
                        new FilterDecision.Kept("kept"),
                        List.of()))
                .toList();
        RunEvent.StepCommitted like = committed(step, .5, 0);
        return new RunEvent.StepCommitted(
                step,
                new StepStatistics(scored * spreads.length, 0, OptionalDouble.of(.5), 0, groups),
                like.tally(),
                like.trainingSamples(),
                like.passes(),
                like.timings(),
                like.state());
    }

    static RunEvent.Ended ended(int steps, RunEvent.End end) {
        return new RunEvent.Ended(state(steps), end);
    }

    static RunEvent.Evaluated evaluated(String name, int version) {
        return new RunEvent.Evaluated(
                new EvaluationRequest(name, 7, 0, new PolicyVersion(version), NOTHING, List.of(PROMPT), 1), List.of());
    }

    private static RunState state(int steps) {
        LearnerState learner = new LearnerState(steps, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING);
        return new RunState(steps, learner, List.of(), "");
    }

    static Measurement measurement(double reward, double groundTruth) {
        return new Measurement(
                "measured",
                List.of(
                        new Measurement.Edit(
                                "row-0",
                                "Add",
                                0,
                                OptionalDouble.of(reward + .1),
                                OptionalDouble.of(groundTruth + .05),
                                OptionalDouble.of(24)),
                        new Measurement.Edit(
                                "row-1",
                                "Remove",
                                0,
                                OptionalDouble.of(reward - .1),
                                OptionalDouble.of(groundTruth - .05),
                                OptionalDouble.empty())));
    }
}
