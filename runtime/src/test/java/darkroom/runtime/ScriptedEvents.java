package darkroom.runtime;

import darkroom.actors.DrawUnit;
import darkroom.actors.Drawn;
import darkroom.actors.EvaluationRequest;
import darkroom.actors.Fault;
import darkroom.actors.GroupKeeper;
import darkroom.actors.GroupStatistics;
import darkroom.actors.LearnerState;
import darkroom.actors.PassStatistics;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.actors.RunEvent;
import darkroom.actors.RunState;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.StepStatistics;
import darkroom.actors.StepTally;
import darkroom.actors.StepTimings;
import darkroom.actors.TensorRef;
import darkroom.actors.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Events of a run with groups of {@value #SLOTS} images, as they would be heard; no tensor is behind them. */
final class ScriptedEvents {
    static final int SLOTS = 12;

    private static final TensorRef NOTHING = new TensorRef(0, "nowhere", TensorRef.ElementType.UINT8, List.of(0), 0);
    private static final Prompt PROMPT = new Prompt("row-0", "Add", "add a boat", "", NOTHING, null);

    private ScriptedEvents() {}

    static RunEvent.GroupFinished group(int step, int group) {
        return finished(draw("run", DrawUnit.Purpose.TRAINING, step, group));
    }

    static RunEvent.GroupFinished evaluationGroup(String evaluation, int group) {
        return finished(draw(evaluation, DrawUnit.Purpose.EVALUATION, 0, group));
    }

    static RunEvent.GroupFinished lostGroup(int step, int group, String message) {
        return new RunEvent.GroupFinished(
                "run",
                new GroupKeeper.GroupLost(
                        draw("run", DrawUnit.Purpose.TRAINING, step, group), new Fault.DropGroup(message)));
    }

    private static DrawUnit draw(String run, DrawUnit.Purpose purpose, int step, int group) {
        return new DrawUnit(run, 7, purpose, step, group, SLOTS, new PolicyVersion(step), NOTHING, PROMPT);
    }

    private static RunEvent.GroupFinished finished(DrawUnit draw) {
        List<Drawn.Image> images = Collections.nCopies(SLOTS, new Drawn.Image(NOTHING, NOTHING, null));
        List<ScoreOutcome> scores = Collections.nCopies(SLOTS, new ScoreOutcome.Scored(.5, 1, 1, "judge"));
        return new RunEvent.GroupFinished(
                draw.run(), new GroupKeeper.GroupEnded(draw, new Drawn(images), scores, Instant.EPOCH));
    }

    /** A step with {@code kept} groups and one dropped one; the step took two seconds. */
    static RunEvent.StepCommitted committed(int step, double mean, int kept) {
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
                        group < kept ? new Verdict.Kept("kept") : new Verdict.Dropped("dropped"),
                        Collections.nCopies(SLOTS, Optional.<GroupStatistics.Standing>empty())))
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

    /** A step whose groups have so many scores each, and these standard deviations. */
    static RunEvent.StepCommitted step(int step, int scored, double... spreads) {
        List<GroupStatistics> groups = IntStream.range(0, spreads.length)
                .mapToObj(group -> new GroupStatistics(
                        group,
                        "row-" + group,
                        scored,
                        OptionalDouble.of(.5),
                        OptionalDouble.of(spreads[group]),
                        new Verdict.Kept("kept"),
                        List.of()))
                .toList();
        RunEvent.StepCommitted like = committed(step, .5, 0);
        return new RunEvent.StepCommitted(
                step,
                new StepStatistics(scored * spreads.length, 0, OptionalDouble.of(.5), 0, groups),
                like.tally(),
                like.lessons(),
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
