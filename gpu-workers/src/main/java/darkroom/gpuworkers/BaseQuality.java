package darkroom.gpuworkers;

import darkroom.actors.numeric.RandomKey;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings.Schedule;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.edittasks.tasks.GroundTruth.Planar;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Measures the edits that weights generate for held-out rows against the exact targets. Thread-confined. */
final class BaseQuality implements AutoCloseable {
    private static final long NOISE_SEED = 77;
    private static final int ROWS_PER_BATCH = 12;
    private static final int REPEATS = 2;
    private static final int SOLVER_STEPS = 6;

    private final EditTasks tasks;
    private final DitSampler sampler;
    private final float[] latents;
    private final float[] planar;

    BaseQuality(DitShape shape, EditTasks tasks, Precision precision) {
        this.tasks = tasks;
        sampler = new DitSampler(shape, ROWS_PER_BATCH * REPEATS, precision.isBf16());
        latents = new float[ROWS_PER_BATCH * REPEATS * shape.imageValues()];
        planar = new float[shape.imageValues()];
    }

    /** @param rows held-out rows, rounded up to whole batches */
    PretrainPolicy.Quality of(MemorySegment weights, int rows) {
        sampler.serve(weights);
        Sums sums = new Sums();
        for (int batch = 0; batch * ROWS_PER_BATCH < rows; batch++) {
            measure(batch, sums);
        }
        return sums.quality();
    }

    private void measure(int batch, Sums sums) {
        EditTask[] generated = new EditTask[ROWS_PER_BATCH];
        for (int row = 0; row < ROWS_PER_BATCH; row++) {
            generated[row] = tasks.render(Split.HELD_OUT, (long) batch * ROWS_PER_BATCH + row);
            for (int repeat = 0; repeat < REPEATS; repeat++) {
                write(sampler, row * REPEATS + repeat, generated[row], planar);
            }
        }
        RandomKey.of(NOISE_SEED, RandomKey.Purpose.EVALUATION_NOISE)
                .atStep(batch)
                .normals(sampler.noise().bytes());
        sampler.rollout(steps(SOLVER_STEPS), MemorySegment.ofArray(latents));
        float[] source = new float[planar.length];
        for (int row = 0; row < ROWS_PER_BATCH; row++) {
            generated[row].source().planar(source, 0);
            generated[row].target().planar(planar, 0);
            double[] scores = new double[REPEATS];
            for (int repeat = 0; repeat < REPEATS; repeat++) {
                int at = (row * REPEATS + repeat) * planar.length;
                GroundTruth truth = GroundTruth.measure(
                        new Planar(source, 0), new Planar(latents, at), new Planar(planar, 0), planar.length / 3);
                scores[repeat] = truth.score();
                sums.add(generated[row].type(), truth, planar.length / 3 - truth.maskPixels() >= 4);
            }
            sums.spread += Math.abs(scores[0] - scores[1]) / 2;
            sums.rows++;
        }
    }

    /** Returns the steps of DPM-Solver++ 2M on the Kontext schedule. */
    static SolverStep[] steps(int count) {
        return SolverStep.dpm2(SigmaSchedule.sigmas(Schedule.KONTEXT, count, SigmaSchedule.LATENT_TOKENS_AT_512));
    }

    /** Writes the pictures and instruction of a task to row {@code row} of the sampler's inputs. */
    static void write(DitSampler sampler, int row, EditTask task, float[] scratch) {
        write(sampler, row, task.source(), task.reference(), task.instruction(), scratch);
    }

    static void write(
            DitSampler sampler,
            int row,
            RgbImage source,
            @Nullable RgbImage reference,
            String instruction,
            float[] scratch) {
        source.planar(scratch, 0);
        sampler.source().floats((long) row * scratch.length, scratch);
        if (reference == null) {
            Arrays.fill(scratch, 0);
        } else {
            reference.planar(scratch, 0);
        }
        sampler.reference().floats((long) row * scratch.length, scratch);
        sampler.tokens().longs(row, InstructionVocabulary.embedded().encode(instruction));
    }

    @Override
    public void close() {
        sampler.close();
    }

    private static final class Sums {
        private final Map<TaskType, double[]> byTask = new EnumMap<>(TaskType.class);
        private double spread;
        private int rows;
        private double truth;
        private double inside;
        private int images;
        private double outside;
        private int withOutside;

        void add(TaskType type, GroundTruth measured, boolean hasOutside) {
            truth += measured.score();
            inside += measured.psnrInside();
            images++;
            if (hasOutside) {
                outside += measured.psnrOutside();
                withOutside++;
            }
            double[] task = byTask.computeIfAbsent(type, any -> new double[2]);
            task[0] += measured.score();
            task[1]++;
        }

        PretrainPolicy.Quality quality() {
            Map<TaskType, Double> means = new EnumMap<>(TaskType.class);
            byTask.forEach((type, sums) -> means.put(type, sums[0] / sums[1]));
            return new PretrainPolicy.Quality(
                    truth / images, inside / images, outside / Math.max(1, withOutside), spread / rows, means);
        }
    }
}
