package darkroom.gpuworkers;

import darkroom.actors.numeric.RandomKey;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.edittasks.tasks.TaskType;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Trains a base policy: supervised flow matching on rendered editing tasks.
 *
 * <p>Everything is keyed by the seed, and the budget is a number of images, so the same settings give the same weights on one
 * kind of processor. Uses one thread: two bases may be trained concurrently in two processes.
 */
public final class PretrainPolicy {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int KIND_ORDINAL = 1;
    private static final int LEVEL_ORDINAL = 2;
    private static final int NOISE_ORDINAL = 3;
    private static final double FINAL_RATE_SHARE = 0.05;
    private static final double EARLY_SHARE = 0.3;
    private static final int REPORTS = 60;
    /** Budget of the shipped bases. */
    public static final long SHIPPED_IMAGES = 300_000;

    private static final int QUALITY_ROWS = 96;
    private static final int QUALITY_ROWS_FINAL = 240;

    private PretrainPolicy() {}

    /**
     * Settings of the training of a base.
     *
     * @param name of the base: the file is {@code name.safetensors}, and the weights after 30 % of the budget
     *     {@code name-early.safetensors}
     * @param resolution side of the square images, 32 or 64 pixels
     * @param images training images generated, repetitions included; rounded up to whole batches
     * @param batch images per optimizer step
     * @param rows different rows; images are generated from them with repetition
     * @param learningRate peak; linear warm-up, then a cosine down to 5 % of it
     * @param averageDecay cap of the decay of the averaged weights, which are saved
     * @param badPairs share of pairs with a wrong target: half of them another edit, a quarter unedited, a quarter half blended
     * @param precision of the linear layers; {@link Precision#AUTO} must be decided before {@link #run}
     */
    public record Settings(
            String name,
            int resolution,
            long images,
            int batch,
            int rows,
            double learningRate,
            int warmupSteps,
            double weightDecay,
            double gradientClip,
            double averageDecay,
            double badPairs,
            Precision precision,
            long seed) {
        public Settings {
            if (images < 1
                    || batch < 1
                    || rows < 1
                    || !(learningRate > 0 && learningRate <= 1)
                    || !(badPairs >= 0 && badPairs <= 1)) {
                throw new IllegalArgumentException(
                        ("images=%d, batch=%d and rows=%d must be at least 1, learningRate=%s above 0 and up to 1,"
                                        + " badPairs=%s from 0 to 1")
                                .formatted(images, batch, rows, learningRate, badPairs));
            }
            if (resolution != 32 && resolution != 64) {
                throw new IllegalArgumentException(
                        "resolution=%d: tasks are rendered at 32 or 64".formatted(resolution));
            }
        }

        /** Returns the settings of the demo's base, trained on a mix of good and bad pairs, like data from the web. */
        public static Settings mixed(int resolution, long images, long seed) {
            return recipe("mixed", resolution, images, 0.4, seed);
        }

        /** Returns the settings of the reference base: the same budget on clean pairs only. */
        public static Settings clean(int resolution, long images, long seed) {
            return recipe("clean", resolution, images, 0, seed);
        }

        /** Returns these settings with another number of images per step and another peak of the learning rate. */
        public Settings with(int otherBatch, double otherLearningRate) {
            return new Settings(
                    name,
                    resolution,
                    images,
                    otherBatch,
                    rows,
                    otherLearningRate,
                    warmupSteps,
                    weightDecay,
                    gradientClip,
                    averageDecay,
                    badPairs,
                    precision,
                    seed);
        }

        /** Returns these settings with another precision. */
        public Settings in(Precision other) {
            return new Settings(
                    name,
                    resolution,
                    images,
                    batch,
                    rows,
                    learningRate,
                    warmupSteps,
                    weightDecay,
                    gradientClip,
                    averageDecay,
                    badPairs,
                    other,
                    seed);
        }

        private static Settings recipe(String name, int resolution, long images, double badPairs, long seed) {
            return new Settings(
                    name,
                    resolution,
                    images,
                    32,
                    1_000_000,
                    1.5e-3,
                    100,
                    0.01,
                    1,
                    0.998,
                    badPairs,
                    Precision.AUTO,
                    seed);
        }

        /** Returns the number of optimizer steps of the whole budget. */
        public long steps() {
            return Math.ceilDiv(images, batch);
        }
    }

    /**
     * Quality of the edits that the averaged weights generate for held-out rows: six steps of DPM-Solver++ 2M, two images per
     * row.
     *
     * @param groundTruth mean over images, 0 to 1
     * @param psnrOutside mean over images with something outside the edit, dB
     * @param spread mean over rows of the standard deviation of the two ground truths
     */
    public record Quality(
            double groundTruth, double psnrInside, double psnrOutside, double spread, Map<TaskType, Double> byTask) {}

    /**
     * Progress since the last report.
     *
     * @param images generated so far
     * @param loss mean since the last report
     * @param quality measured now and then
     */
    public record Progress(
            long images, long budget, double loss, @Nullable Quality quality) {}

    /** Receives progress, on the training thread. */
    @FunctionalInterface
    public interface Listener {
        void progress(Progress progress);
    }

    /**
     * Returns the task types of the embedded models: those that need reading, a pose or a second image are half as frequent.
     */
    public static TaskMix mix() {
        EnumMap<TaskType, Double> weights = new EnumMap<>(TaskType.class);
        for (TaskType type : TaskType.values()) {
            weights.put(
                    type,
                    switch (type) {
                        case ADD, ADJUST, REPLACE, REMOVE, BACKGROUND, STYLE, EXTRACT, HYBRID -> 1.0;
                        case ACTION, RED_BOX, REFERENCE -> 0.5;
                        case TEXT -> 0.25;
                    });
        }
        return new TaskMix(weights, TaskMix.OBJECTS_EMBEDDED);
    }

    /**
     * Trains and writes the two files into {@code directory}.
     *
     * @return the final weights
     */
    public static DitWeights run(Settings settings, Path directory, Listener listener) throws IOException {
        Files.createDirectories(directory);
        Torch.enterThread();
        InstructionVocabulary vocabulary = InstructionVocabulary.embedded();
        DitShape shape = DitShape.embedded(settings.resolution(), InstructionVocabulary.LENGTH, vocabulary.size());
        EditTasks tasks = new EditTasks(settings.resolution(), settings.seed(), mix());
        RandomKey key = RandomKey.of(settings.seed(), RandomKey.Purpose.PRETRAINING);
        long steps = settings.steps();
        long early = Math.max(1, Math.round(steps * EARLY_SHARE));
        long reportEvery = Math.max(1, steps / REPORTS);
        try (FlowMatchingTrainer trainer = new FlowMatchingTrainer(
                        shape,
                        settings.batch(),
                        settings.precision(),
                        settings.weightDecay(),
                        settings.gradientClip(),
                        InitialWeights.of(shape, settings.seed()));
                BaseQuality measure = new BaseQuality(shape, tasks, settings.precision())) {
            PairWriter pairs = new PairWriter(settings, tasks, trainer);
            double losses = 0;
            long counted = 0;
            for (long step = 0; step < steps; step++) {
                pairs.write(key.atStep(Math.toIntExact(step)));
                losses += trainer.step(
                        step, rate(settings, step), Math.min(settings.averageDecay(), (2.0 + step) / (11.0 + step)));
                counted++;
                long done = step + 1;
                if (done == early) {
                    save(
                            settings,
                            shape,
                            trainer,
                            directory.resolve(settings.name() + "-early.safetensors"),
                            done,
                            measure.of(trainer.average(), QUALITY_ROWS));
                }
                if (done % reportEvery == 0) {
                    boolean measured = (done / reportEvery) % (REPORTS / 10) == 0 && done < steps;
                    listener.progress(new Progress(
                            done * settings.batch(),
                            steps * settings.batch(),
                            losses / counted,
                            measured ? measure.of(trainer.average(), QUALITY_ROWS) : null));
                    losses = 0;
                    counted = 0;
                }
            }
            Quality quality = measure.of(trainer.average(), QUALITY_ROWS_FINAL);
            listener.progress(new Progress(
                    steps * settings.batch(),
                    steps * settings.batch(),
                    counted == 0 ? Double.NaN : losses / counted,
                    quality));
            return save(settings, shape, trainer, directory.resolve(settings.name() + ".safetensors"), steps, quality);
        }
    }

    private static double rate(Settings settings, long step) {
        double cosine = 0.5 * (1 + StrictMath.cos(Math.PI * step / settings.steps()));
        return settings.learningRate()
                * Math.min(1, (step + 1.0) / settings.warmupSteps())
                * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * cosine);
    }

    private static DitWeights save(
            Settings settings, DitShape shape, FlowMatchingTrainer trainer, Path file, long steps, Quality quality)
            throws IOException {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("darkroom.kind", "policy");
        metadata.put("darkroom.name", settings.name());
        metadata.put("darkroom.recipe", settings.toString());
        metadata.put("darkroom.images", String.valueOf(steps * settings.batch()));
        metadata.put("darkroom.seed", String.valueOf(settings.seed()));
        metadata.put("darkroom.quality.groundTruth", decimal(quality.groundTruth()));
        metadata.put("darkroom.quality.psnrInside", decimal(quality.psnrInside()));
        metadata.put("darkroom.quality.psnrOutside", decimal(quality.psnrOutside()));
        metadata.put("darkroom.quality.spread", decimal(quality.spread()));
        quality.byTask().forEach((type, value) -> metadata.put("darkroom.quality." + type.label(), decimal(value)));
        DitWeights weights = new DitWeights(shape, trainer.average().toArray(FLOAT), metadata);
        weights.write(file);
        return weights;
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    /** Writes training pairs into the buffers of a trainer. */
    private static final class PairWriter {
        private final Settings settings;
        private final EditTasks tasks;
        private final FlowMatchingTrainer trainer;
        private final float[] source;
        private final float[] target;
        private final float[] other;

        PairWriter(Settings settings, EditTasks tasks, FlowMatchingTrainer trainer) {
            this.settings = settings;
            this.tasks = tasks;
            this.trainer = trainer;
            int values = 3 * settings.resolution() * settings.resolution();
            source = new float[values];
            target = new float[values];
            other = new float[values];
        }

        void write(RandomKey key) {
            int batch = settings.batch();
            int[] rows = key.uniformInts(batch, settings.rows());
            double[] kinds = key.atOrdinal(KIND_ORDINAL).uniforms(3 * batch);
            float[] levels = new float[batch];
            key.atOrdinal(LEVEL_ORDINAL).normals(levels);
            key.atOrdinal(NOISE_ORDINAL).normals(trainer.noise().bytes());
            for (int b = 0; b < batch; b++) {
                EditTask task = tasks.render(Split.TRAIN, rows[b]);
                task.source().planar(source, 0);
                target(task, kinds[3 * b], kinds[3 * b + 1], kinds[3 * b + 2]);
                trainer.target().floats((long) b * target.length, target);
                trainer.source().floats((long) b * source.length, source);
                reference(task.reference(), b);
                trainer.tokens().longs(b, InstructionVocabulary.embedded().encode(task.instruction()));
                trainer.level().bytes().setAtIndex(FLOAT, b, (float) (1 / (1 + StrictMath.exp(-levels[b]))));
            }
        }

        private void target(EditTask task, double bad, double kind, double share) {
            if (bad >= settings.badPairs()) {
                task.target().planar(target, 0);
            } else if (kind < 0.5) {
                task.wrongTarget(kind < 0.25 ? 0 : 1).planar(target, 0);
            } else if (kind < 0.75) {
                task.source().planar(target, 0);
            } else {
                task.target().planar(other, 0);
                float done = (float) (0.3 + 0.5 * share);
                for (int i = 0; i < target.length; i++) {
                    target[i] = done * other[i] + (1 - done) * source[i];
                }
            }
        }

        private void reference(@Nullable RgbImage image, int row) {
            if (image == null) {
                java.util.Arrays.fill(other, 0);
            } else {
                image.planar(other, 0);
            }
            trainer.reference().floats((long) row * other.length, other);
        }
    }
}
