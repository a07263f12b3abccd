package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.actors.numeric.RandomKey;
import darkroom.config.OptimizerSettings;
import darkroom.config.Precision;
import darkroom.config.TrainingSettings;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.Torch;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Trains a judge: a DiT trunk initialised from an editor's weights, a head over the labels 0 to 5 whose expectation is fitted
 * to the ground truth, and an auxiliary head fitted to the remaining difference (target - edited). It has seen exact targets,
 * and so passes supervision on indirectly; the reports mention this.
 *
 * <p>It is trained on {@link JudgeExamples}. One thread, keyed by the seed, budget in examples.
 */
public final class PretrainJudge {
    /** Settings for scripts that need no policy objective. */
    static final TrainingSettings NO_POLICY = new TrainingSettings(
            TrainingSettings.Objective.DIFFUSION_NFT,
            TrainingSettings.Weighting.NONE,
            1,
            0,
            1e-4,
            1,
            1,
            1,
            Precision.F32,
            0,
            0,
            new OptimizerSettings(0, 0, 0.9, 0.999, 1e-8, 0.02, 1),
            TrainingSettings.OldPolicy.CONSTANT,
            0,
            0);

    private static final int BATCH = 64;
    private static final int WARMUP_STEPS = 100;
    private static final double FINAL_RATE_SHARE = 0.03;
    private static final int REPORTS = 30;

    private PretrainJudge() {}

    /**
     * Settings of the training of a judge.
     *
     * @param name of the judge's file
     * @param examples training examples, rounded up to whole batches
     * @param trunk base whose weights initialise the trunk, a path or a shipped base; without one the initial weights are
     *     random
     * @param bases whose samples are judged, paths or shipped bases; without any, the judge never sees samples of a base
     * @param poolImages samples generated from the bases before training
     * @param learningRate peak; linear warm-up, then a cosine
     * @param precision of the linear layers, of the judge and of the rollout of its examples; {@link Precision#AUTO} must be
     *     decided before {@link #run}
     */
    public record Settings(
            String name,
            long examples,
            @Nullable String trunk,
            List<String> bases,
            int poolImages,
            double learningRate,
            Precision precision,
            long seed) {
        public Settings {
            bases = List.copyOf(bases);
            if (examples < 1 || !(learningRate > 0) || poolImages < JudgeExamples.poolMin(bases)) {
                throw new IllegalArgumentException(
                        "examples=%d must be at least 1, learningRate=%s above 0, poolImages=%d at least %d for %d bases"
                                .formatted(
                                        examples,
                                        learningRate,
                                        poolImages,
                                        JudgeExamples.poolMin(bases),
                                        bases.size()));
            }
        }

        /** Returns the number of training examples, in whole batches. */
        public long budget() {
            return Math.ceilDiv(examples, BATCH) * BATCH;
        }
    }

    /**
     * Returns the settings of the shipped judge.
     *
     * @param bases the two shipped bases and their early weights, which {@link PretrainPolicy} writes beside them
     */
    public static Settings judge(List<String> bases, long seed) {
        return new Settings("judge", 240_000, "clean", bases, 20_000, 8e-4, Precision.AUTO, seed);
    }

    /** Returns the settings of the shipped weak judge: random initial weights, a small budget, no sample of any base. */
    public static Settings weak(long seed) {
        return new Settings("weak", 12_800, null, List.of(), 0, 1e-3, Precision.AUTO, seed);
    }

    /**
     * Agreement with ground truth within held-out groups of 12 edits of one base: the share of pairs that both order alike,
     * among pairs whose ground truths differ by more than 0.02.
     *
     * @param strict ties of the judge count as wrong
     * @param tiesHalf ties of the judge count half
     */
    public record Agreement(double strict, double tiesHalf) {
        /**
         * Measures the agreement of scores with the ground truth.
         *
         * @param scores of the edits of each group, in their order
         */
        public static Agreement of(List<JudgeExamples.Row> groups, List<List<Double>> scores) {
            double right = 0;
            double ties = 0;
            double pairs = 0;
            for (int group = 0; group < groups.size(); group++) {
                List<JudgeExamples.Edit> edits = groups.get(group).edits();
                List<Double> judged = scores.get(group);
                for (int i = 0; i < edits.size(); i++) {
                    for (int j = i + 1; j < edits.size(); j++) {
                        double difference = edits.get(i).truth() - edits.get(j).truth();
                        if (Math.abs(difference) > JudgeScript.TIE) {
                            double judgedDifference = judged.get(i) - judged.get(j);
                            pairs++;
                            right += difference * judgedDifference > 0 ? 1 : 0;
                            ties += judgedDifference == 0 ? 1 : 0;
                        }
                    }
                }
            }
            return new Agreement(right / pairs, (right + ties / 2) / pairs);
        }
    }

    /**
     * Progress since the last report.
     *
     * @param likelihood cross-entropy of the labels, mean since the last report
     * @param ranking loss over the order of the edits of one row, mean since the last report
     * @param agreement measured only at the end, when the losses are not
     */
    public record Progress(
            long examples,
            long budget,
            double likelihood,
            double ranking,
            @Nullable Agreement agreement) {}

    /** Receives progress, on the training thread. */
    @FunctionalInterface
    public interface Listener {
        void progress(Progress progress);
    }

    /**
     * Trains and writes {@code name.safetensors} into {@code directory}, which must exist.
     *
     * @param agreementBase base whose held-out samples measure the agreement, a path or a shipped base
     */
    public static Agreement run(Settings settings, String agreementBase, Path directory, Listener listener)
            throws IOException {
        Torch.enterThread();
        DitShape shape = JudgeExamples.shape();
        FlatLayout layout = JudgeScript.layout(shape);
        JudgeExamples examples =
                JudgeExamples.of(settings.bases(), settings.poolImages(), settings.seed(), settings.precision());
        float[] flat = initial(settings, shape, layout);
        long steps = settings.budget() / BATCH;
        try (Trainer trainer = new Trainer(shape, layout, flat, settings.precision())) {
            double likelihood = 0;
            double ranking = 0;
            long counted = 0;
            long every = Math.max(1, steps / REPORTS);
            for (long step = 0; step < steps; step++) {
                write(examples, trainer, shape.imageValues());
                double cosine = 0.5 * (1 + StrictMath.cos(Math.PI * step / steps));
                double rate = settings.learningRate()
                        * Math.min(1, (step + 1.0) / WARMUP_STEPS)
                        * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * cosine);
                float[] loss = trainer.step(step, rate);
                likelihood += loss[0];
                ranking += loss[1];
                counted++;
                if ((step + 1) % every == 0) {
                    listener.progress(new Progress(
                            (step + 1) * BATCH, steps * BATCH, likelihood / counted, ranking / counted, null));
                    likelihood = 0;
                    ranking = 0;
                    counted = 0;
                }
            }
            flat = trainer.weights();
        }
        Agreement agreement = agreement(
                new JudgeNetwork.Weights(shape, flat),
                settings.precision(),
                examples.heldOut(agreementBase, JudgeExamples.HELD_OUT_GROUPS));
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("darkroom.kind", "judge");
        metadata.put("darkroom.name", settings.name());
        metadata.put("darkroom.examples", String.valueOf(steps * BATCH));
        metadata.put("darkroom.seed", String.valueOf(settings.seed()));
        metadata.put("darkroom.agreement.strict", String.format(Locale.ROOT, "%.4f", agreement.strict()));
        metadata.put("darkroom.agreement.tiesHalf", String.format(Locale.ROOT, "%.4f", agreement.tiesHalf()));
        DitWeights.write(directory.resolve(settings.name() + ".safetensors"), shape, layout, flat, metadata);
        listener.progress(new Progress(steps * BATCH, steps * BATCH, Double.NaN, Double.NaN, agreement));
        return agreement;
    }

    private static float[] initial(Settings settings, DitShape shape, FlatLayout layout) throws IOException {
        float[] flat = new float[layout.size()];
        float[] trunk = settings.trunk() == null
                ? InitialWeights.of(shape, settings.seed())
                : DitWeights.base(settings.trunk()).flat();
        System.arraycopy(trunk, 0, flat, 0, trunk.length);
        RandomKey key =
                RandomKey.of(settings.seed(), RandomKey.Purpose.INITIAL_WEIGHTS).atStep(1);
        InitialWeights.normals(
                flat, layout.entry("answer").offset(), layout.entry("answer").size(), 0.02f, key);
        int ordinal = 1;
        for (String head : List.of("head1", "head2")) {
            FlatLayout.Entry weight = layout.entry(head + ".weight");
            InitialWeights.uniform(flat, weight, 1 / Math.sqrt(weight.shape().get(1)), key.atOrdinal(ordinal++));
        }
        return flat;
    }

    private static Agreement agreement(
            JudgeNetwork.Weights weights, Precision precision, List<JudgeExamples.Row> groups) {
        List<List<Double>> scores = new ArrayList<>();
        try (JudgeNetwork judge = new JudgeNetwork(weights, precision)) {
            for (JudgeExamples.Row group : groups) {
                List<JudgeNetwork.Question> questions = group.edits().stream()
                        .map(edit -> new JudgeNetwork.Question(
                                group.task().source(),
                                edit.image(),
                                group.task().reference(),
                                group.task().instruction()))
                        .toList();
                scores.add(judge.logits(questions).stream()
                        .map(PretrainJudge::expectation)
                        .toList());
            }
        }
        return Agreement.of(groups, scores);
    }

    private static double expectation(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double mass = 0;
        double sum = 0;
        for (int label = 0; label < logits.length; label++) {
            double weight = StrictMath.exp(logits[label] - max);
            mass += weight;
            sum += label * weight;
        }
        return sum / mass / (logits.length - 1);
    }

    /** Optimizer, model and input buffers of a judge in training. */
    private static final class Trainer implements AutoCloseable {
        private final TorchModule module;
        private final NDManager owned;
        private final TensorBuffer source;
        private final TensorBuffer edited;
        private final TensorBuffer reference;
        private final TensorBuffer tokens;
        private final TensorBuffer target;
        private final TensorBuffer truth;
        private final TensorBuffer labels;
        private NDList state;

        Trainer(DitShape shape, FlatLayout layout, float[] initial, Precision precision) {
            module = new TorchModule(DitScript.of(shape)
                    + ObjectiveScript.losses(NO_POLICY)
                    + ObjectiveScript.optimizer(NO_POLICY.optimizer())
                    + JudgeScript.of(shape, precision.isBf16()));
            owned = module.scope();
            int side = shape.resolution();
            source = TensorBuffer.floats(owned, BATCH, 3, side, side);
            edited = TensorBuffer.floats(owned, BATCH, 3, side, side);
            reference = TensorBuffer.floats(owned, BATCH, 3, side, side);
            tokens = TensorBuffer.longs(owned, BATCH, shape.tokens());
            target = TensorBuffer.floats(owned, BATCH, 3, side, side);
            truth = TensorBuffer.floats(owned, BATCH);
            labels = TensorBuffer.floats(owned, BATCH, JudgeScript.LABELS);
            if (layout.size() != initial.length) {
                throw new IllegalArgumentException(
                        "%d weights for a layout of %d".formatted(initial.length, layout.size()));
            }
            NDArray theta = owned.create(initial);
            state = new NDList(theta, theta.zerosLike(), theta.zerosLike());
        }

        float[] step(long taken, double rate) {
            try (NDManager scope = module.scope()) {
                NDList gradient = module.differentiate(
                        scope,
                        "judge_gradient",
                        source.array(),
                        edited.array(),
                        reference.array(),
                        tokens.array(),
                        target.array(),
                        truth.array(),
                        labels.array(),
                        state.get(0));
                NDList next = module.call(
                        owned,
                        "adamw",
                        scope.create(rate),
                        scope.create((float) taken),
                        gradient.get(0),
                        state.get(0),
                        state.get(1),
                        state.get(2));
                next.get(3).close();
                state.close();
                state = new NDList(next.get(0), next.get(1), next.get(2));
                return gradient.get(1).toFloatArray();
            }
        }

        float[] weights() {
            return state.get(0).toFloatArray();
        }

        @Override
        public void close() {
            owned.close();
            module.close();
        }
    }

    /** Writes a batch of examples into the buffers. */
    private static void write(JudgeExamples examples, Trainer trainer, int values) {
        float[] planar = new float[values];
        for (int b = 0; b < BATCH; b += JudgeExamples.CANDIDATES) {
            JudgeExamples.Row row = examples.next();
            EditTask task = row.task();
            int[] tokens = InstructionVocabulary.embedded().encode(task.instruction());
            for (int candidate = 0; candidate < JudgeExamples.CANDIDATES; candidate++) {
                JudgeExamples.Edit edit = row.edits().get(candidate);
                long at = (long) (b + candidate) * values;
                task.source().planar(planar, 0);
                trainer.source.floats(at, planar);
                task.target().planar(planar, 0);
                trainer.target.floats(at, planar);
                if (task.reference() == null) {
                    Arrays.fill(planar, 0);
                } else {
                    task.reference().planar(planar, 0);
                }
                trainer.reference.floats(at, planar);
                trainer.edited.floats(at, edit.planar());
                trainer.tokens.longs(b + candidate, tokens);
                write(trainer, b + candidate, edit.truth());
            }
        }
    }

    /** Writes the labels on both sides of the truth, weighted by their closeness. */
    private static void write(Trainer trainer, int row, double truth) {
        float[] likely = new float[JudgeScript.LABELS];
        double label = truth * (JudgeScript.LABELS - 1);
        int below = Math.min((int) label, JudgeScript.LABELS - 2);
        likely[below] = (float) (1 - (label - below));
        likely[below + 1] = (float) (label - below);
        trainer.labels.floats((long) row * likely.length, likely);
        trainer.truth.floats(row, new float[] {(float) truth});
    }
}
