package darkroom.runtime;

import darkroom.actors.DrawUnit;
import darkroom.actors.Drawn;
import darkroom.actors.EvaluationRequest;
import darkroom.actors.Fault;
import darkroom.actors.GroupKeeper;
import darkroom.actors.GroupRewards;
import darkroom.actors.LearnerState;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.PassStatistics;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.actors.RandomKey;
import darkroom.actors.RunEvent;
import darkroom.actors.RunState;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.StepStatistics;
import darkroom.actors.StepTally;
import darkroom.actors.StepTimings;
import darkroom.actors.TensorRef;
import darkroom.actors.Verdict;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.edittasks.EditTasks;
import darkroom.edittasks.GroundTruth;
import darkroom.edittasks.RgbImage;
import darkroom.edittasks.Split;
import darkroom.edittasks.TaskMix;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * A run without a model: edits lie between source and target, nearer to the target with every step; scores follow ground
 * truth. In every step group 1 is unanimous and high, group 2 has too few scores, and the last group could not be drawn.
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
        return new RunRecorder(directory, settings, open::row, new Meter(open::row, store));
    }

    RunRecorder recorder(Path directory, int step) {
        return new RunRecorder(directory, settings, open::row, new Meter(open::row, store), step);
    }

    /** All events of a step up to its commit; {@code commit} false stops before it, as a crash would. */
    void step(RunRecorder recorder, int step, boolean commit) {
        List<GroupKeeper.Ending> endings = new ArrayList<>();
        List<GroupRewards> rewards = new ArrayList<>();
        for (int group = 0; group < GROUPS; group++) {
            Prompt prompt = open.open(training.get((step * GROUPS + group) % training.size()));
            GroupKeeper.Ending ending = ending(
                    draw("run", DrawUnit.Purpose.TRAINING, step, group, SLOTS, prompt),
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
            switch (statistics.groups().get(group).verdict()) {
                case Verdict.Kept _ -> counted += scored;
                case Verdict.Dropped _ -> dropped += scored;
                case Verdict.Abandoned _ -> abandoned += scored;
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
        List<GroupKeeper.Ending> endings = new ArrayList<>();
        for (int group = 0; group < prompts.size(); group++) {
            endings.add(ending(
                    draw(name, DrawUnit.Purpose.EVALUATION, 0, group, 4, prompts.get(group)),
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

    private DrawUnit draw(String run, DrawUnit.Purpose purpose, int step, int group, int slots, Prompt prompt) {
        return new DrawUnit(
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

    private GroupKeeper.Ending ending(DrawUnit draw, double quality, Trouble trouble) {
        if (trouble == Trouble.LOST) {
            return new GroupKeeper.GroupLost(draw, new Fault.DropGroup("its keeper died; the log says why"));
        }
        Row row = open.row(draw.prompt().row());
        RgbImage target = Objects.requireNonNull(row.target());
        List<Drawn.Image> images = new ArrayList<>();
        List<ScoreOutcome> outcomes = new ArrayList<>();
        for (int slot = 0; slot < draw.slots(); slot++) {
            double[] noise = RandomKey.of(draw.step(), RandomKey.Purpose.BOOTSTRAP, draw.group(), slot, 0)
                    .uniforms(3 * 32 * 32 + 2);
            RgbImage edit = between(row.source(), target, Math.clamp(quality + .5 * (noise[0] - .5), 0, 1), noise);
            TensorRef pixels = store.put(
                    TensorRef.ElementType.UINT8,
                    List.of(32, 32, 3),
                    bytes -> bytes.copyFrom(MemorySegment.ofArray(edit.rgb())));
            images.add(new Drawn.Image(pixels, pixels, null));
            double truth = GroundTruth.measure(row.source(), edit, target).score();
            boolean unscored =
                    (trouble == Trouble.MOST_UNSCORED && slot > 1) || (trouble == Trouble.SOME_UNSCORED && slot == 2);
            double score = trouble == Trouble.UNANIMOUS ? .95 : Math.clamp(truth * .9 + .2 * noise[1], 0, 1);
            outcomes.add(
                    unscored
                            ? new ScoreOutcome.Unscored(UNSCORED, 4)
                            : new ScoreOutcome.Scored(score, .99, 1, "judge"));
        }
        return new GroupKeeper.GroupEnded(draw, new Drawn(images), outcomes, Instant.EPOCH);
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

    private static List<OptionalDouble> rewards(GroupKeeper.Ending ending) {
        List<OptionalDouble> rewards = new ArrayList<>();
        for (int slot = 0; slot < ending.draw().slots(); slot++) {
            rewards.add(
                    ending instanceof GroupKeeper.GroupEnded ended
                                    && ended.outcomes().get(slot) instanceof ScoreOutcome.Scored scored
                            ? OptionalDouble.of(scored.score())
                            : OptionalDouble.empty());
        }
        return rewards;
    }

    private void release(GroupKeeper.Ending ending) {
        if (ending instanceof GroupKeeper.GroupEnded ended) {
            ended.drawn().tensors().forEach(store::release);
        }
        open.close(ending.draw().prompt());
    }

    @Override
    public void close() {
        store.close();
    }
}
