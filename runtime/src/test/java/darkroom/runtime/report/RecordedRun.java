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
import darkroom.actors.numeric.RandomKey;
import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.StepStatistics;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.Row;
import darkroom.runtime.run.EmbeddedRows;
import darkroom.runtime.run.OpenPrompts;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * A run without a model: edits lie between source and target, nearer to the target with every step; scores follow
 * ground truth. In every step group 1 is unanimous and high, group 2 has too few scores, and the last group could not
 * be generated.
 */
final class RecordedRun implements AutoCloseable {
    static final int GROUPS = 6;
    static final int SLOTS = 5;
    static final int HELD_OUT = 14;
    private static final String UNSCORED = "the scorer answered <b>\"I'd rather not\"</b> & hung up";

    private final RunSettings settings;
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1L << 28);
    private final OpenPrompts open = new OpenPrompts(store);
    private final List<Row> training = Rendered.TRAINING;
    private final List<Row> heldOut = Rendered.HELD_OUT;
    private final RunState state;

    RecordedRun(int steps) {
        settings = Recipes.load(
                "embedded-demo",
                List.of(
                        "steps=" + steps,
                        "rollout.groups-per-step=" + GROUPS,
                        "rollout.images-per-group=" + SLOTS,
                        "groups.filter=true"));
        TensorRef weights = store.put(TensorRef.ElementType.FLOAT32, List.of(1), _ -> {});
        state = RunState.fresh(new LearnerState(0, weights, weights, weights, weights, weights));
    }

    /** Rendered once for all tests. */
    private static final class Rendered {
        static final EditTasks TASKS = new EditTasks(32, 5, TaskMix.all());
        static final List<Row> TRAINING = new EmbeddedRows(TASKS, Split.TRAIN, 3 * GROUPS).first(3 * GROUPS);
        static final List<Row> HELD_OUT =
                new EmbeddedRows(TASKS, Split.HELD_OUT, RecordedRun.HELD_OUT).first(RecordedRun.HELD_OUT);
    }

    RunSettings settings() {
        return settings;
    }

    RunState state() {
        return state;
    }

    OffHeapTensorStore store() {
        return store;
    }

    RunRecorder recorder(Path directory) {
        return new RunRecorder(directory, settings, open::row, new Evaluator(open::row, store));
    }

    RunRecorder recorder(Path directory, int step) {
        return new RunRecorder(directory, settings, open::row, new Evaluator(open::row, store), step);
    }

    /** Sends all events of a step up to its commit; {@code commit} false stops before it, as a crash would. */
    void step(RunRecorder recorder, int step, boolean commit) {
        List<GroupOutcome> endings = new ArrayList<>();
        List<GroupRewards> rewards = new ArrayList<>();
        for (int group = 0; group < GROUPS; group++) {
            Prompt prompt = open.open(training.get((step * GROUPS + group) % training.size()));
            GroupOutcome ending = ending(
                    rollout("run", RolloutUnit.Purpose.TRAINING, step, group, SLOTS, prompt),
                    quality(step),
                    Trouble.of(group));
            endings.add(ending);
            rewards.add(new GroupRewards(group, prompt.row(), rewards(ending)));
        }
        StepStatistics statistics = StepStatistics.of(rewards, settings.groups());
        for (int group = 0; group < GROUPS; group++) {
            recorder.heard(new RunEvent.GroupCompared(
                    step, endings.get(group), statistics.groups().get(group)));
        }
        int counted = 0;
        int dropped = 0;
        int abandoned = SLOTS;
        int unscored = 0;
        for (int group = 0; group < GROUPS - 1; group++) {
            int scored = statistics.groups().get(group).scored();
            unscored += SLOTS - scored;
            switch (statistics.groups().get(group).decision()) {
                case FilterDecision.Kept _ -> counted += scored;
                case FilterDecision.Dropped _ -> dropped += scored;
                case FilterDecision.Abandoned _ -> abandoned += scored;
            }
        }
        if (commit) {
            recorder.heard(new RunEvent.StepCommitted(
                    step,
                    statistics,
                    new StepTally(GROUPS * SLOTS, counted, dropped, unscored, abandoned),
                    counted,
                    List.of(
                            new PassStatistics(counted, 1, .4 / (1 + step), 0, 1.5),
                            new PassStatistics(counted, 1, Double.NaN, 0, .9)),
                    new StepTimings(
                            Duration.ofMillis(800 + step % 7 * 10),
                            Duration.ofMillis(200),
                            Duration.ofMillis(5),
                            Duration.ofMillis(950),
                            Duration.ofMillis(2000 + step % 5 * 30)),
                    state));
        }
        endings.forEach(this::release);
    }

    void heldOut(RunRecorder recorder, String name, double quality) {
        evaluation(recorder, name, 0, quality);
    }

    void validation(RunRecorder recorder, int committed) {
        evaluation(recorder, "run-validation-" + committed, committed, quality(committed));
    }

    private void evaluation(RunRecorder recorder, String name, int version, double quality) {
        List<Prompt> prompts = open.open(heldOut);
        List<GroupOutcome> endings = new ArrayList<>();
        for (int group = 0; group < prompts.size(); group++) {
            endings.add(ending(
                    rollout(name, RolloutUnit.Purpose.EVALUATION, 0, group, 4, prompts.get(group)),
                    quality,
                    group == 3 ? Trouble.SOME_UNSCORED : Trouble.NONE));
        }
        recorder.heard(new RunEvent.Evaluated(
                new EvaluationRequest(
                        name, 77, 0, new PolicyVersion(version), state.learner().average(), prompts, 4),
                endings));
        endings.forEach(this::release);
    }

    void end(RunRecorder recorder, RunEvent.End end) {
        recorder.heard(new RunEvent.Ended(state, end));
    }

    private enum Trouble {
        NONE,
        UNANIMOUS,
        SOME_UNSCORED,
        MOST_UNSCORED,
        LOST;

        static Trouble of(int group) {
            return switch (group) {
                case 1 -> UNANIMOUS;
                case 2 -> MOST_UNSCORED;
                case 3 -> SOME_UNSCORED;
                case GROUPS - 1 -> LOST;
                default -> NONE;
            };
        }
    }

    private double quality(int step) {
        return .3 + .4 * step / Math.max(1, settings.steps());
    }

    private RolloutUnit rollout(
            String run, RolloutUnit.Purpose purpose, int step, int group, int slots, Prompt prompt) {
        return new RolloutUnit(
                run,
                0,
                purpose,
                step,
                group,
                slots,
                new PolicyVersion(step),
                state.learner().old(),
                prompt);
    }

    private GroupOutcome ending(RolloutUnit rollout, double quality, Trouble trouble) {
        if (trouble == Trouble.LOST) {
            return new GroupOutcome.Lost(rollout, new Fault.DropGroup("its coordinator died; the log says why"));
        }
        Row row = open.row(rollout.prompt().row());
        RgbImage target = Objects.requireNonNull(row.target());
        List<RolloutResult.Image> images = new ArrayList<>();
        List<ScoreOutcome> outcomes = new ArrayList<>();
        for (int slot = 0; slot < rollout.slots(); slot++) {
            double[] noise = RandomKey.of(rollout.step(), RandomKey.Purpose.BOOTSTRAP, rollout.group(), slot, 0)
                    .uniforms(3 * 32 * 32 + 2);
            RgbImage edit = between(row.source(), target, Math.clamp(quality + .5 * (noise[0] - .5), 0, 1), noise);
            TensorRef pixels = store.put(
                    TensorRef.ElementType.UINT8,
                    List.of(32, 32, 3),
                    bytes -> bytes.copyFrom(MemorySegment.ofArray(edit.rgb())));
            images.add(new RolloutResult.Image(pixels, pixels, null));
            double truth = GroundTruth.measure(row.source(), edit, target).score();
            boolean unscored =
                    (trouble == Trouble.MOST_UNSCORED && slot > 1) || (trouble == Trouble.SOME_UNSCORED && slot == 2);
            double score = trouble == Trouble.UNANIMOUS ? .95 : Math.clamp(truth * .9 + .2 * noise[1], 0, 1);
            outcomes.add(
                    unscored
                            ? new ScoreOutcome.Unscored(UNSCORED, 4)
                            : new ScoreOutcome.Scored(score, .99, 1, "judge"));
        }
        return new GroupOutcome.Finished(rollout, new RolloutResult(images), outcomes, Instant.EPOCH);
    }

    private static RgbImage between(RgbImage source, RgbImage target, double share, double[] noise) {
        byte[] from = source.rgb();
        byte[] to = target.rgb();
        byte[] rgb = new byte[from.length];
        for (int i = 0; i < rgb.length; i++) {
            double value = (from[i] & 255) * (1 - share) + (to[i] & 255) * share + 30 * (noise[i + 2] - .5);
            rgb[i] = (byte) Math.clamp(Math.round(value), 0, 255);
        }
        return RgbImage.of(source.width(), source.height(), rgb);
    }

    private static List<OptionalDouble> rewards(GroupOutcome ending) {
        List<OptionalDouble> rewards = new ArrayList<>();
        for (int slot = 0; slot < ending.rollout().slots(); slot++) {
            rewards.add(
                    ending instanceof GroupOutcome.Finished ended
                                    && ended.outcomes().get(slot) instanceof ScoreOutcome.Scored scored
                            ? OptionalDouble.of(scored.score())
                            : OptionalDouble.empty());
        }
        return rewards;
    }

    private void release(GroupOutcome ending) {
        if (ending instanceof GroupOutcome.Finished ended) {
            ended.generated().tensors().forEach(store::release);
        }
        open.close(ending.rollout().prompt());
    }

    @Override
    public void close() {
        store.close();
    }
}
