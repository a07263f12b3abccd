package darkroom.gpuworkers;

import darkroom.config.Precision;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.gpuworkers.torchscript.DeviceThread;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Speed of the embedded model on this processor in float32 and in bfloat16, which decides {@code precision=auto}.
 *
 * <p>Velocity evaluations of a small batch with the model's own shapes, on one thread, alternating; the fastest of each
 * precision counts, so that other work on the machine has little effect. It takes less than a second, once per process, and
 * follows any limit of the instructions that PyTorch may use ({@code ONEDNN_MAX_CPU_ISA}, {@code ATEN_CPU_CAPABILITY}).
 *
 * @param f32 images per second and solver step in float32
 * @param bf16 the same in bfloat16
 */
public record PrecisionMeasurement(double f32, double bf16) {
    /** Minimum speed-up of bfloat16; below it, bfloat16 is not worth its rounding. */
    public static final double GAIN_MIN = 1.1;

    /** A precision that takes this many times as long as the other is slow on this processor. */
    public static final double SLOW = 2;

    private static final Once ONCE = new Once();
    private static final int BATCH = 4;
    private static final int PAIRS_MIN = 3;
    private static final int PAIRS_MAX = 40;
    private static final Duration BUDGET = Duration.ofMillis(350);

    public PrecisionMeasurement {
        if (!(f32 > 0 && bf16 > 0)) {
            throw new IllegalArgumentException("f32=%s and bf16=%s must be above 0".formatted(f32, bf16));
        }
    }

    /**
     * Returns the measurement of this processor, made by the first call in a process, which blocks for less than a second.
     */
    public static PrecisionMeasurement ofThisProcessor(LongSupplier nanoTime) {
        return ONCE.measured(nanoTime);
    }

    /** Returns the precision that {@code auto} selects. */
    public Precision faster() {
        return bf16 >= GAIN_MIN * f32 ? Precision.BF16 : Precision.F32;
    }

    /** Whether a run in that precision takes at least {@link #SLOW} times as long here as in the other one. */
    public boolean isSlow(Precision precision) {
        return precision.isBf16() ? f32 >= SLOW * bf16 : bf16 >= SLOW * f32;
    }

    /** Describes both figures. */
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%.0f images per second and solver step in float32, %.0f in bfloat16, one thread",
                f32,
                bf16);
    }

    static PrecisionMeasurement measure(LongSupplier nanoTime) {
        DitShape shape = DitShape.embedded(
                32,
                InstructionVocabulary.LENGTH,
                InstructionVocabulary.embedded().size());
        MemorySegment weights = MemorySegment.ofArray(InitialWeights.of(shape, 0));
        SolverStep[] step = BaseQuality.steps(1);
        MemorySegment latents = MemorySegment.ofArray(new float[BATCH * shape.imageValues()]);
        try (DitSampler full = new DitSampler(shape, BATCH, false);
                DitSampler half = new DitSampler(shape, BATCH, true)) {
            full.serve(weights);
            half.serve(weights);
            full.rollout(step, latents);
            half.rollout(step, latents);
            long began = nanoTime.getAsLong();
            long fastestFull = Long.MAX_VALUE;
            long fastestHalf = Long.MAX_VALUE;
            for (int pair = 0;
                    pair < PAIRS_MIN || (pair < PAIRS_MAX && nanoTime.getAsLong() - began < BUDGET.toNanos());
                    pair++) {
                fastestFull = Math.min(fastestFull, nanos(full, step, latents, nanoTime));
                fastestHalf = Math.min(fastestHalf, nanos(half, step, latents, nanoTime));
            }
            return new PrecisionMeasurement(rate(fastestFull), rate(fastestHalf));
        }
    }

    private static long nanos(DitSampler sampler, SolverStep[] step, MemorySegment latents, LongSupplier nanoTime) {
        long began = nanoTime.getAsLong();
        sampler.rollout(step, latents);
        return Math.max(1, nanoTime.getAsLong() - began);
    }

    private static double rate(long nanos) {
        return BATCH * 1e9 / nanos;
    }

    /** Holds the measurement; a concurrent caller waits for the same figures. */
    private static final class Once {
        private @Nullable PrecisionMeasurement measured;

        synchronized PrecisionMeasurement measured(LongSupplier nanoTime) {
            PrecisionMeasurement known = measured;
            if (known == null) {
                try (DeviceThread thread = new DeviceThread("precision")) {
                    known = thread.run(() -> measure(nanoTime))
                            .toCompletableFuture()
                            .join();
                }
                measured = known;
            }
            return known;
        }
    }
}
