package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.actors.RandomKey;
import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings;
import darkroom.edittasks.EditTask;
import darkroom.edittasks.EditTasks;
import darkroom.edittasks.GroundTruth;
import darkroom.edittasks.InstructionVocabulary;
import darkroom.edittasks.RgbImage;
import darkroom.edittasks.Split;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes a judge: a DiT trunk that starts from an editor's weights, a head over the labels 0 to 5 whose
 * expectation is fitted to the ground truth, and an auxiliary head fitted to what is missing (target - edited). It has seen exact targets,
 * and so passes supervision on indirectly; the reports say so.
 *
 * <p>Examples: samples of bases (early and late, several solver step counts), targets, sources, wrong edits, blends and
 * half-done edits; many are corrupted further. One thread, keyed by the seed, budget in examples.
 */
public final class PretrainJudge {
    /** For scripts that need no policy objective. */
    static final TrainingSettings NO_POLICY = new TrainingSettings(
            TrainingSettings.Objective.DIFFUSION_NFT,
            TrainingSettings.Weighting.NONE,
            1,
            0,
            1e-4,
            1,
            1,
            1,
            false,
            0,
            0,
            new OptimizerSettings(0, 0, 0.9, 0.999, 1e-8, 0.02, 1),
            TrainingSettings.OldPolicy.CONSTANT,
            0,
            0);

    private static final int BATCH = 64;
    private static final int WARMUP_STEPS = 100;
    private static final double FINAL_RATE_SHARE = 0.03;
    private static final int POOL_BATCH = 24;
    private static final int AGREEMENT_GROUPS = 80;
    private static final int AGREEMENT_SLOTS = 12;
    private static final int REPORTS = 30;
    private static final double SAMPLED_ROWS = 0.65;
    private static final double SAMPLES_AS_DRAWN = 0.75;

    private PretrainJudge() {}

    /**
     * @param name of the judge's file
     * @param examples training examples, rounded up to whole batches
     * @param trunk base whose weights the trunk starts from, a path or one that ships; without one the judge starts from
     *     nothing
     * @param bases whose samples are judged, paths or those that ship; none makes a judge that has never seen what it will
     *     be asked about
     * @param poolImages samples drawn from the bases before training
     * @param learningRate peak; linear warm-up, then a cosine
     */
    public record Settings(
            String name,
            long examples,
            @Nullable String trunk,
            List<String> bases,
            int poolImages,
            double learningRate,
            long seed) {
        public Settings {
            bases = List.copyOf(bases);
            if (examples < 1 || !(learningRate > 0) || poolImages < POOL_BATCH * bases.size()) {
                throw new IllegalArgumentException(
                        "examples=%d must be at least 1, learningRate=%s above 0, poolImages=%d at least %d for %d bases"
                                .formatted(
                                        examples, learningRate, poolImages, POOL_BATCH * bases.size(), bases.size()));
            }
        }

        /** Training examples, in whole batches. */
        public long budget() {
            return Math.ceilDiv(examples, BATCH) * BATCH;
        }
    }

    /**
     * How the judge that ships was made.
     *
     * @param bases the two that ship and their early weights, which {@link PretrainPolicy} writes beside them
     */
    public static Settings judge(List<String> bases, long seed) {
        return new Settings("judge", 240_000, "clean", bases, 20_000, 8e-4, seed);
    }

    /** How the weak judge that ships was made: from nothing, in little time, on no sample of any base. */
    public static Settings weak(long seed) {
        return new Settings("weak", 12_800, null, List.of(), 0, 1e-3, seed);
    }

    /**
     * Agreement with ground truth within held-out groups of 12 edits of one base: the share of pairs that both order
     * alike, among pairs whose ground truths differ by more than 0.02.
     *
     * @param strict ties of the judge count as wrong
     * @param tiesHalf ties of the judge count half
     */
    public record Agreement(double strict, double tiesHalf) {}

    /**
     * @param likelihood cross-entropy of the labels, mean since the last report
     * @param ranking loss over the order of the edits of one row, mean since the last report
     * @param agreement measured at the end only, when the losses are not
     */
    public record Progress(
            long examples,
            long budget,
            double likelihood,
            double ranking,
            @Nullable Agreement agreement) {}

    /** Hears how it goes, on the training thread. */
    @FunctionalInterface
    public interface Listener {
        void progress(Progress progress);
    }

    /**
     * Trains and writes {@code name.safetensors} into {@code directory}, which must exist.
     *
     * @param agreementBase whose held-out samples the agreement is measured on, a path or one that ships
     */
    public static Agreement run(Settings settings, String agreementBase, Path directory, Listener listener)
            throws IOException {
        Torch.enterThread();
        DitShape shape = DitShape.embedded(
                32,
                InstructionVocabulary.LENGTH,
                InstructionVocabulary.embedded().size());
        EditTasks tasks = new EditTasks(shape.resolution(), settings.seed(), PretrainPolicy.mix());
        FlatLayout layout = JudgeScript.layout(shape);
        List<Sampled> pool = pool(settings, shape, tasks);
        float[] flat = initial(settings, shape, layout);
        long steps = settings.budget() / BATCH;
        try (Trainer trainer = new Trainer(shape, layout, flat)) {
            Examples examples = new Examples(settings, tasks, pool, shape);
            double likelihood = 0;
            double ranking = 0;
            long counted = 0;
            long every = Math.max(1, steps / REPORTS);
            for (long step = 0; step < steps; step++) {
                examples.write(trainer);
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
        Agreement agreement = agreement(new JudgeNetwork.Weights(shape, flat), agreementBase, tasks);
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

    /** Samples of one base on a training row. */
    private record Sampled(long row, List<RgbImage> images) {}

    private static List<Sampled> pool(Settings settings, DitShape shape, EditTasks tasks) throws IOException {
        List<Sampled> pool = new ArrayList<>();
        int[] stepCounts = {6, 6, 4, 10};
        float[] scratch = new float[shape.imageValues()];
        float[] latents = new float[POOL_BATCH * scratch.length];
        for (int base = 0; base < settings.bases().size(); base++) {
            try (DitSampler sampler = new DitSampler(shape, POOL_BATCH, true)) {
                sampler.serve(MemorySegment.ofArray(
                        DitWeights.base(settings.bases().get(base)).flat()));
                int batches = settings.poolImages() / settings.bases().size() / POOL_BATCH;
                for (int batch = 0; batch < batches; batch++) {
                    RandomKey key = RandomKey.of(settings.seed(), RandomKey.Purpose.PRETRAINING, batch, base, 1);
                    int[] rows = key.uniformInts(POOL_BATCH / JudgeScript.CANDIDATES, 1_000_000);
                    for (int b = 0; b < POOL_BATCH; b++) {
                        BaseQuality.write(
                                sampler, b, tasks.render(Split.TRAIN, rows[b / JudgeScript.CANDIDATES]), scratch);
                    }
                    key.atOrdinal(1).normals(sampler.noise().bytes());
                    sampler.draw(
                            BaseQuality.steps(stepCounts[batch % stepCounts.length]), MemorySegment.ofArray(latents));
                    for (int row = 0; row < rows.length; row++) {
                        List<RgbImage> images = new ArrayList<>();
                        for (int b = 0; b < JudgeScript.CANDIDATES; b++) {
                            int at = (row * JudgeScript.CANDIDATES + b) * scratch.length;
                            images.add(RgbImage.fromPlanar(latents, at, shape.resolution(), shape.resolution()));
                        }
                        pool.add(new Sampled(rows[row], images));
                    }
                }
            }
        }
        return pool;
    }

    private static Agreement agreement(JudgeNetwork.Weights weights, String base, EditTasks tasks) throws IOException {
        DitShape shape = weights.shape();
        int values = shape.imageValues();
        float[] scratch = new float[values];
        float[] latents = new float[AGREEMENT_SLOTS * values];
        double right = 0;
        double ties = 0;
        double pairs = 0;
        try (DitSampler sampler = new DitSampler(shape, AGREEMENT_SLOTS, true);
                JudgeNetwork judge = new JudgeNetwork(weights)) {
            sampler.serve(MemorySegment.ofArray(DitWeights.base(base).flat()));
            for (int group = 0; group < AGREEMENT_GROUPS; group++) {
                EditTask task = tasks.render(Split.HELD_OUT, group);
                List<JudgeNetwork.Question> questions = new ArrayList<>();
                for (int slot = 0; slot < AGREEMENT_SLOTS; slot++) {
                    BaseQuality.write(sampler, slot, task, scratch);
                }
                RandomKey.of(5, RandomKey.Purpose.EVALUATION_NOISE)
                        .atStep(group)
                        .normals(sampler.noise().bytes());
                sampler.draw(BaseQuality.steps(6), MemorySegment.ofArray(latents));
                double[] truth = new double[AGREEMENT_SLOTS];
                for (int slot = 0; slot < AGREEMENT_SLOTS; slot++) {
                    RgbImage image =
                            RgbImage.fromPlanar(latents, slot * values, shape.resolution(), shape.resolution());
                    truth[slot] = GroundTruth.measure(task.source(), image, task.target())
                            .score();
                    questions.add(
                            new JudgeNetwork.Question(task.source(), image, task.reference(), task.instruction()));
                }
                double[] scores = judge.logits(questions).stream()
                        .mapToDouble(PretrainJudge::expectation)
                        .toArray();
                for (int i = 0; i < AGREEMENT_SLOTS; i++) {
                    for (int j = i + 1; j < AGREEMENT_SLOTS; j++) {
                        double difference = truth[i] - truth[j];
                        if (Math.abs(difference) > JudgeScript.TIE) {
                            pairs++;
                            right += difference * (scores[i] - scores[j]) > 0 ? 1 : 0;
                            ties += scores[i] == scores[j] ? 1 : 0;
                        }
                    }
                }
            }
        }
        return new Agreement(right / pairs, (right + ties / 2) / pairs);
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

        Trainer(DitShape shape, FlatLayout layout, float[] initial) {
            module = new TorchModule(DitScript.of(shape)
                    + ObjectiveScript.losses(NO_POLICY)
                    + ObjectiveScript.optimizer(NO_POLICY.optimizer())
                    + JudgeScript.of(shape));
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

    /** Draws examples: what a judge will be shown, from exact to hopeless. */
    private static final class Examples {
        private final EditTasks tasks;
        private final List<Sampled> pool;
        private final SplittableRandom random;
        private final int side;
        private final int values;

        Examples(Settings settings, EditTasks tasks, List<Sampled> pool, DitShape shape) {
            this.tasks = tasks;
            this.pool = pool;
            this.random = new SplittableRandom(settings.seed());
            this.side = shape.resolution();
            this.values = shape.imageValues();
        }

        void write(Trainer trainer) {
            float[] source = new float[values];
            float[] target = new float[values];
            float[] reference = new float[values];
            for (int b = 0; b < BATCH; b += JudgeScript.CANDIDATES) {
                Sampled sampled = !pool.isEmpty() && random.nextDouble() < SAMPLED_ROWS
                        ? pool.get(random.nextInt(pool.size()))
                        : null;
                EditTask task = tasks.render(Split.TRAIN, sampled == null ? random.nextInt(1_000_000) : sampled.row());
                task.source().planar(source, 0);
                task.target().planar(target, 0);
                if (task.reference() == null) {
                    Arrays.fill(reference, 0);
                } else {
                    task.reference().planar(reference, 0);
                }
                int[] tokens = InstructionVocabulary.embedded().encode(task.instruction());
                for (int candidate = 0; candidate < JudgeScript.CANDIDATES; candidate++) {
                    float[] edited = edited(
                            task, sampled == null ? null : sampled.images().get(candidate), source, target);
                    for (int i = 0; i < values; i++) {
                        edited[i] = Math.clamp(edited[i], -1f, 1f);
                    }
                    long at = (long) (b + candidate) * values;
                    trainer.source.floats(at, source);
                    trainer.edited.floats(at, edited);
                    trainer.reference.floats(at, reference);
                    trainer.target.floats(at, target);
                    trainer.tokens.longs(b + candidate, tokens);
                    write(
                            trainer,
                            b + candidate,
                            GroundTruth.measure(source, 0, edited, 0, target, 0, values / 3)
                                    .score());
                }
            }
        }

        /** The labels on both sides of the truth, each the likelier the nearer it is. */
        private static void write(Trainer trainer, int row, double truth) {
            float[] likely = new float[JudgeScript.LABELS];
            double label = truth * (JudgeScript.LABELS - 1);
            int below = Math.min((int) label, JudgeScript.LABELS - 2);
            likely[below] = (float) (1 - (label - below));
            likely[below + 1] = (float) (label - below);
            trainer.labels.floats((long) row * likely.length, likely);
            trainer.truth.floats(row, new float[] {(float) truth});
        }

        private float[] edited(EditTask task, @Nullable RgbImage sample, float[] source, float[] target) {
            if (sample != null && random.nextDouble() < SAMPLES_AS_DRAWN) {
                return planar(sample);
            }
            float[] first = candidate(task, sample, source, target);
            float[] second = candidate(task, sample, source, target);
            double kind = random.nextDouble();
            if (kind >= 0.3 && kind < 0.55) {
                blend(first, second, (float) random.nextDouble());
            } else if (kind >= 0.55 && kind < 0.8) {
                patchwork(first, second);
            } else if (kind >= 0.8) {
                float share = (float) (0.5 * random.nextDouble());
                for (int i = 0; i < values; i++) {
                    first[i] = (1 - share) * target[i] + share * second[i];
                }
            }
            corrupt(first);
            return first;
        }

        private float[] candidate(EditTask task, @Nullable RgbImage sample, float[] source, float[] target) {
            int kinds = sample == null ? 4 : 6;
            return switch (random.nextInt(kinds)) {
                case 0, 1 -> target.clone();
                case 2 -> source.clone();
                case 3 -> planar(task.wrongTarget(random.nextInt(EditTask.WRONG_TARGETS)));
                default -> sample == null ? target.clone() : planar(sample);
            };
        }

        private float[] planar(RgbImage image) {
            float[] planar = new float[values];
            image.planar(planar, 0);
            return planar;
        }

        private void blend(float[] into, float[] other, float share) {
            for (int i = 0; i < values; i++) {
                into[i] = share * into[i] + (1 - share) * other[i];
            }
        }

        /** Blocks of one picture in the other. */
        private void patchwork(float[] into, float[] other) {
            int cells = random.nextInt(2, 9);
            double share = random.nextDouble();
            boolean[] mask = new boolean[cells * cells];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = random.nextDouble() < share;
            }
            int pixels = side * side;
            for (int p = 0; p < pixels; p++) {
                int cell = (p / side) * cells / side * cells + (p % side) * cells / side;
                for (int c = 0; c < 3 && !mask[cell]; c++) {
                    into[c * pixels + p] = other[c * pixels + p];
                }
            }
        }

        private void corrupt(float[] image) {
            double kind = random.nextDouble();
            if (kind < 0.55) {
                return;
            }
            int pixels = side * side;
            if (kind < 0.7) {
                float scale = (float) random.nextDouble(0.02, 0.4);
                for (int i = 0; i < values; i++) {
                    image[i] += scale * (float) random.nextGaussian();
                }
            } else if (kind < 0.82) {
                float gain = (float) random.nextDouble(0.6, 1.2);
                for (int c = 0; c < 3; c++) {
                    float shift = (float) random.nextDouble(-0.3, 0.3);
                    for (int p = 0; p < pixels; p++) {
                        image[c * pixels + p] = image[c * pixels + p] * gain + shift;
                    }
                }
            } else {
                int x = random.nextInt(side - 6);
                int y = random.nextInt(side - 6);
                int width = Math.min(side - x, random.nextInt(3, 14));
                int height = Math.min(side - y, random.nextInt(3, 14));
                for (int c = 0; c < 3; c++) {
                    float level = (float) random.nextDouble(-1, 1);
                    for (int row = y; row < y + height; row++) {
                        for (int column = x; column < x + width; column++) {
                            image[c * pixels + row * side + column] = level;
                        }
                    }
                }
            }
        }
    }
}
