package darkroom.runtime.base;

import com.fasterxml.jackson.core.JsonProcessingException;
import darkroom.config.Precision;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.PrecisionMeasurement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The precisions of a run and the reason for them: {@code precision.json}, written once, when the run begins.
 *
 * @param rollout precision of rollouts
 * @param training precision of the trained policy
 * @param judge precision of the embedded judge
 * @param processor the processor on which this was decided
 * @param measured the measurement that decided {@code auto}; {@code null} if nothing was {@code auto}
 */
public record PrecisionChoice(
        Chosen rollout,
        Chosen training,
        Chosen judge,
        String processor,
        @Nullable Measured measured) {
    /**
     * A precision as set and as decided.
     *
     * @param asked the setting: {@code auto}, {@code f32} or {@code bf16}
     * @param decided {@code f32} or {@code bf16}
     */
    public record Chosen(String asked, String decided) {
        private static Chosen of(Precision asked, Precision decided) {
            return new Chosen(Precisions.label(asked), Precisions.label(decided));
        }
    }

    /** Images per second and solver step of the embedded model, on one thread. */
    public record Measured(double f32, double bf16) {}

    public static PrecisionChoice of(RunSettings asked, RunSettings decided) {
        Measured measured = null;
        if (asked.isPrecisionOpen()) {
            PrecisionMeasurement found = PrecisionMeasurement.ofThisProcessor(System::nanoTime);
            measured = new Measured(rounded(found.f32()), rounded(found.bf16()));
        }
        return new PrecisionChoice(
                Chosen.of(asked.rollout().precision(), decided.rollout().precision()),
                Chosen.of(asked.training().precision(), decided.training().precision()),
                Chosen.of(asked.scoring().judgePrecision(), decided.scoring().judgePrecision()),
                NodeCards.processor(),
                measured);
    }

    private static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }

    /** Describes the choice in one human-readable line. */
    public String describe() {
        Measured by = measured;
        boolean same = Stream.of(rollout, training, judge)
                        .map(Chosen::decided)
                        .distinct()
                        .count()
                == 1;
        String what = same
                ? rollout.decided()
                : "%s (rollout), %s (training), %s (judge)"
                        .formatted(rollout.decided(), training.decided(), judge.decided());
        return by == null
                ? what + ", as set"
                : String.format(
                        Locale.ROOT,
                        "%s, by a measurement on %s: %.0f images per second and solver step in f32, %.0f in bf16",
                        what,
                        processor,
                        by.f32(),
                        by.bf16());
    }

    public void write(Path run) {
        try {
            RunDirectory.write(
                    new RunDirectory(run).precision(),
                    JsonLines.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts and numbers is JSON", e);
        }
    }

    /** Reads the choice of a run; empty if the run has no such file. */
    public static Optional<PrecisionChoice> read(Path run) {
        Path file = new RunDirectory(run).precision();
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JsonLines.JSON.readValue(file.toFile(), PrecisionChoice.class));
        } catch (IOException e) {
            throw RunDirectory.failed("read", file, e);
        }
    }
}
