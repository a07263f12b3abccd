package darkroom.gpuworkers;

import darkroom.actors.numeric.RandomKey;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.edittasks.tasks.GroundTruth.Planar;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.edittasks.tasks.Split;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Generates the examples of a judge, from exact to hopeless: samples of bases (early and late, several solver step counts),
 * targets, sources, wrong edits, blends and partial edits; many are further corrupted. Keyed by the seed; for one thread.
 */
public final class JudgeExamples {
    /** Edits of each row of {@link #next}. */
    public static final int CANDIDATES = JudgeScript.CANDIDATES;

    /** Side of all pictures, in pixels. */
    public static final int SIDE = 32;

    /** Number of groups used to measure agreement. */
    public static final int HELD_OUT_GROUPS = 80;

    /** Number of edits of each such group. */
    public static final int HELD_OUT_SLOTS = 12;

    private static final int POOL_BATCH = 24;
    private static final double SAMPLED_ROWS = 0.65;
    private static final double SAMPLES_AS_GENERATED = 0.75;

    private final EditTasks tasks;
    private final List<Sampled> pool;
    private final SplittableRandom random;
    private final DitShape shape;
    private final Precision precision;
    private final int side;
    private final int values;

    /** A task and edits of it. */
    public record Row(EditTask task, List<Edit> edits) {
        public Row {
            edits = List.copyOf(edits);
        }
    }

    /** An edited picture and its ground truth. */
    public static final class Edit {
        private final float[] planar;
        private final int side;
        private final double truth;

        private Edit(float[] planar, int side, double truth) {
            this.planar = planar;
            this.side = side;
            this.truth = truth;
        }

        /** Returns the pixels, [3, side, side] in [-1, 1]. */
        float[] planar() {
            return planar;
        }

        /** Returns the picture in 8 bits. */
        public RgbImage image() {
            return RgbImage.fromPlanar(planar, 0, side, side);
        }

        /** Returns the ground truth, 0 to 1. */
        public double truth() {
            return truth;
        }
    }

    private JudgeExamples(EditTasks tasks, List<Sampled> pool, DitShape shape, long seed, Precision precision) {
        this.tasks = tasks;
        this.pool = pool;
        this.random = new SplittableRandom(seed);
        this.shape = shape;
        this.precision = precision;
        this.side = shape.resolution();
        this.values = shape.imageValues();
    }

    /**
     * Generates the samples of bases that the rows are made of.
     *
     * @param poolImages total number of samples
     * @param precision of the rollout of these samples and of the held-out edits
     */
    public static JudgeExamples of(List<String> bases, int poolImages, long seed, Precision precision)
            throws IOException {
        Torch.enterThread();
        DitShape shape = shape();
        EditTasks tasks = new EditTasks(shape.resolution(), seed, PretrainPolicy.mix());
        return new JudgeExamples(tasks, pool(bases, poolImages, seed, shape, tasks, precision), shape, seed, precision);
    }

    static DitShape shape() {
        return DitShape.embedded(
                32,
                InstructionVocabulary.LENGTH,
                InstructionVocabulary.embedded().size());
    }

    /** Returns the minimum pool size that has samples of each base. */
    public static int poolMin(List<String> bases) {
        return POOL_BATCH * bases.size();
    }

    /** Returns the next training row, of {@link #CANDIDATES} edits. */
    public Row next() {
        Sampled sampled =
                !pool.isEmpty() && random.nextDouble() < SAMPLED_ROWS ? pool.get(random.nextInt(pool.size())) : null;
        EditTask task = tasks.render(Split.TRAIN, sampled == null ? random.nextInt(1_000_000) : sampled.row());
        float[] source = planar(task.source());
        float[] target = planar(task.target());
        List<Edit> edits = new ArrayList<>();
        for (int candidate = 0; candidate < CANDIDATES; candidate++) {
            float[] edited =
                    edited(task, sampled == null ? null : sampled.images().get(candidate), source, target);
            for (int i = 0; i < values; i++) {
                edited[i] = Math.clamp(edited[i], -1f, 1f);
            }
            double truth = GroundTruth.measure(
                            new Planar(source, 0), new Planar(edited, 0), new Planar(target, 0), values / 3)
                    .score();
            edits.add(new Edit(edited, side, truth));
        }
        return new Row(task, edits);
    }

    /**
     * Returns the rows used to measure agreement: 12 edits of one base on each of the first held-out rows, always the same.
     *
     * @param base a path or a shipped base
     * @param rows usually {@link #HELD_OUT_GROUPS}
     */
    public List<Row> heldOut(String base, int rows) throws IOException {
        float[] scratch = new float[values];
        float[] latents = new float[HELD_OUT_SLOTS * values];
        List<Row> groups = new ArrayList<>();
        try (DitSampler sampler = new DitSampler(shape, HELD_OUT_SLOTS, precision.isBf16())) {
            sampler.serve(MemorySegment.ofArray(DitWeights.base(base).flat()));
            for (int group = 0; group < rows; group++) {
                EditTask task = tasks.render(Split.HELD_OUT, group);
                for (int slot = 0; slot < HELD_OUT_SLOTS; slot++) {
                    BaseQuality.write(sampler, slot, task, scratch);
                }
                RandomKey.of(5, RandomKey.Purpose.EVALUATION_NOISE)
                        .atStep(group)
                        .normals(sampler.noise().bytes());
                sampler.rollout(BaseQuality.steps(6), MemorySegment.ofArray(latents));
                List<Edit> edits = new ArrayList<>();
                for (int slot = 0; slot < HELD_OUT_SLOTS; slot++) {
                    RgbImage image = RgbImage.fromPlanar(latents, slot * values, side, side);
                    edits.add(new Edit(
                            planar(image),
                            side,
                            GroundTruth.measure(task.source(), image, task.target())
                                    .score()));
                }
                groups.add(new Row(task, edits));
            }
        }
        return groups;
    }

    /** Samples of one base for a training row. */
    private record Sampled(long row, List<RgbImage> images) {}

    private static List<Sampled> pool(
            List<String> bases, int poolImages, long seed, DitShape shape, EditTasks tasks, Precision precision)
            throws IOException {
        List<Sampled> pool = new ArrayList<>();
        int[] stepCounts = {6, 6, 4, 10};
        float[] scratch = new float[shape.imageValues()];
        float[] latents = new float[POOL_BATCH * scratch.length];
        for (int base = 0; base < bases.size(); base++) {
            try (DitSampler sampler = new DitSampler(shape, POOL_BATCH, precision.isBf16())) {
                sampler.serve(
                        MemorySegment.ofArray(DitWeights.base(bases.get(base)).flat()));
                int batches = poolImages / bases.size() / POOL_BATCH;
                for (int batch = 0; batch < batches; batch++) {
                    RandomKey key = RandomKey.of(seed, RandomKey.Purpose.PRETRAINING, batch, base, 1);
                    int[] rows = key.uniformInts(POOL_BATCH / JudgeScript.CANDIDATES, 1_000_000);
                    for (int b = 0; b < POOL_BATCH; b++) {
                        BaseQuality.write(
                                sampler, b, tasks.render(Split.TRAIN, rows[b / JudgeScript.CANDIDATES]), scratch);
                    }
                    key.atOrdinal(1).normals(sampler.noise().bytes());
                    sampler.rollout(
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

    private float[] edited(EditTask task, @Nullable RgbImage sample, float[] source, float[] target) {
        if (sample != null && random.nextDouble() < SAMPLES_AS_GENERATED) {
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

    /** Copies blocks of one picture into the other. */
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
