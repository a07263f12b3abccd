package darkroom.runtime.base;

import darkroom.config.Precision;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.gpuworkers.PrecisionMeasurement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Decides the precision {@code auto} before a run's settings are recorded. From then on the decision is a setting like
 * any other, which resumed runs and nodes follow.
 */
public final class Precisions {
    private static final Logger LOG = LoggerFactory.getLogger(Precisions.class);

    /** Environment variables that limit the instructions PyTorch uses, whatever the processor offers. */
    private static final List<String> LIMITS = List.of("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY");

    private Precisions() {}

    /**
     * Returns the settings with {@code auto} decided by a measurement of this processor; unchanged if nothing is
     * {@code auto}.
     */
    public static RunSettings decided(RunSettings settings) {
        if (!settings.isPrecisionOpen()) {
            return settings;
        }
        Precision decided = settings.workers().device() == WorkerSettings.Kind.VIRTUAL
                ? Precision.F32 // virtual devices compute nothing
                : decided(Precision.AUTO);
        return settings.decided(decided, decided, decided);
    }

    /** Decides a single precision in the same way. */
    public static Precision decided(Precision precision) {
        if (precision != Precision.AUTO) {
            return precision;
        }
        PrecisionMeasurement measured = PrecisionMeasurement.ofThisProcessor(System::nanoTime);
        LOG.info("precision auto is {}: {}", label(measured.faster()), measured.describe());
        return measured.faster();
    }

    /** Returns {@code asked} with what was decided for {@code recorded} in place of {@code auto}. */
    public static RunSettings decidedAs(RunSettings recorded, RunSettings asked) {
        return decided(asked.decided(
                recorded.rollout().precision(),
                recorded.training().precision(),
                recorded.scoring().judgePrecision()));
    }

    /** Returns overrides that give another process the precisions of these decided settings. */
    public static List<String> overrides(RunSettings decided) {
        return List.of(
                "rollout.precision=" + label(decided.rollout().precision()),
                "training.precision=" + label(decided.training().precision()),
                "scoring.judge-precision=" + label(decided.scoring().judgePrecision()));
    }

    /**
     * Reports a run in bfloat16 on a processor that emulates it. Measures for less than a second if the processor
     * offers no bfloat16 or an environment variable forbids it.
     *
     * @param say receives one line
     */
    public static void tellIfSlow(RunSettings decided, Consumer<String> say) {
        tellIfSlow(
                decided,
                mayBeEmulated(System.getenv()),
                () -> PrecisionMeasurement.ofThisProcessor(System::nanoTime),
                say);
    }

    /**
     * @param emulated whether bfloat16 may be emulated on this processor
     * @param measurement measures this processor; called only if the answer depends on it
     */
    static void tellIfSlow(
            RunSettings decided, boolean emulated, Supplier<PrecisionMeasurement> measurement, Consumer<String> say) {
        boolean bf16 = Stream.of(
                        decided.rollout().precision(),
                        decided.training().precision(),
                        decided.scoring().judgePrecision())
                .anyMatch(Precision.BF16::equals);
        if (bf16 && emulated) {
            slow(Precision.BF16, measurement.get()).ifPresent(say);
        }
    }

    /** Returns the message about a precision that this measurement shows to be slow. */
    static Optional<String> slow(Precision precision, PrecisionMeasurement measured) {
        return measured.isSlow(precision)
                ? Optional.of(
                        ("this run computes in %s, which is slow on this processor (%s: %s); its result depends on the"
                                        + " precision, so it is kept. A new run with precision=auto is faster here.")
                                .formatted(label(precision), NodeCards.processor(), measured.describe()))
                : Optional.empty();
    }

    /** Whether the processor offers no bfloat16, or an environment variable limits what PyTorch uses of it. */
    static boolean mayBeEmulated(Map<String, String> environment) {
        return !NodeCards.offersBf16() || LIMITS.stream().anyMatch(environment::containsKey);
    }

    /** Returns the label of a precision in settings and options. */
    public static String label(Precision precision) {
        return precision.name().toLowerCase(Locale.ROOT);
    }

    /** Reads a precision by its label. */
    public static final class Label implements ITypeConverter<Precision> {
        @Override
        public Precision convert(String label) {
            return Arrays.stream(Precision.values())
                    .filter(precision -> label(precision).equals(label))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("'" + label + "' is none of "
                            + Arrays.stream(Precision.values())
                                    .map(Precisions::label)
                                    .collect(Collectors.joining(", "))));
        }
    }

    /** The labels of all precisions, for completion. */
    public static final class Labels extends ArrayList<String> {
        private static final long serialVersionUID = 1;

        Labels() {
            super(Arrays.stream(Precision.values()).map(Precisions::label).toList());
        }
    }
}
