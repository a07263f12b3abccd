package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.Precision;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.PrecisionMeasurement;
import darkroom.runtime.cluster.CommandProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrecisionsTest {
    private static final PrecisionMeasurement EMULATED = new PrecisionMeasurement(200, 20);
    private static final PrecisionMeasurement NATIVE = new PrecisionMeasurement(200, 300);

    private static RunSettings settings(String... overrides) {
        return Recipes.load("embedded-demo", List.of(overrides));
    }

    /** On any processor: with these variables PyTorch computes as on one without bfloat16. */
    @Test
    void a_processor_without_bfloat16_decides_for_float32(@TempDir Path directory) throws Exception {
        List<String> limited = List.of("env", "ONEDNN_MAX_CPU_ISA=AVX2", "ATEN_CPU_CAPABILITY=avx2");
        try (CommandProcess show = CommandProcess.start(directory, limited, List.of("config", "show"))) {
            CommandProcess.Finished shown = show.await();
            assertThat(shown.code()).isZero();
            assertThat(shown.printed()).contains("precision = auto", "On this processor it is f32:", "in bfloat16");
        }
    }

    @Test
    void bfloat16_is_taken_where_it_is_clearly_faster_and_nowhere_else() {
        assertThat(NATIVE.faster()).isEqualTo(Precision.BF16);
        assertThat(EMULATED.faster()).isEqualTo(Precision.F32);
        assertThat(new PrecisionMeasurement(200, 219).faster()).isEqualTo(Precision.F32);
        assertThatThrownBy(() -> new PrecisionMeasurement(200, 0)).hasMessageContaining("bf16=0.0");
    }

    @Test
    void a_precision_that_is_set_is_never_decided_anew() {
        RunSettings decided = Precisions.decided(settings("rollout.precision=bf16", "training.precision=f32"));
        assertThat(decided.rollout().precision()).isEqualTo(Precision.BF16);
        assertThat(decided.training().precision()).isEqualTo(Precision.F32);
        assertThat(decided.scoring().judgePrecision())
                .isEqualTo(
                        PrecisionMeasurement.ofThisProcessor(System::nanoTime).faster());
        assertThat(decided.isPrecisionOpen()).isFalse();
        assertThat(Precisions.decided(decided)).isSameAs(decided);
    }

    @Test
    void another_process_that_is_given_the_overrides_computes_in_the_same_precisions() {
        RunSettings decided = Precisions.decided(settings("training.precision=bf16"));
        RunSettings given = settings(Precisions.overrides(decided).toArray(String[]::new));
        assertThat(given).isEqualTo(decided);
        assertThat(Recipes.parse(Recipes.render(decided))).isEqualTo(decided);
    }

    @Test
    void what_nobody_has_decided_is_not_computed_with() {
        assertThatThrownBy(Precision.AUTO::isBf16)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("auto");
    }

    @Test
    void a_node_whose_processor_emulates_the_precision_of_its_run_says_so() {
        assertThat(Precisions.slow(Precision.BF16, EMULATED).orElseThrow())
                .contains("computes in bf16", "slow on this processor", "200 images", "20 in bfloat16");
        assertThat(Precisions.slow(Precision.F32, EMULATED)).isEmpty();
        assertThat(Precisions.slow(Precision.BF16, NATIVE)).isEmpty();
        assertThat(Precisions.slow(Precision.F32, NATIVE))
                .as("half as fast is not slow")
                .isEmpty();
    }

    /** Any of the three precisions of a run, whichever role the node has. */
    @ParameterizedTest
    @ValueSource(strings = {"rollout.precision", "training.precision", "scoring.judge-precision"})
    void one_part_of_the_run_in_bfloat16_is_enough_for_one_line(String part) {
        List<String> told = new ArrayList<>();
        Precisions.tellIfSlow(run(part), true, () -> EMULATED, told::add);
        assertThat(told).singleElement().asString().contains("computes in bf16", "slow on this processor");
        Precisions.tellIfSlow(run(part), true, () -> NATIVE, told::add);
        assertThat(told).as("a processor that only seems to lack it").hasSize(1);
    }

    @Test
    void a_node_measures_nothing_where_bfloat16_is_not_used_or_not_emulated() {
        Supplier<PrecisionMeasurement> never = () -> {
            throw new AssertionError("measured");
        };
        List<String> told = new ArrayList<>();
        Precisions.tellIfSlow(run("none"), true, never, told::add);
        Precisions.tellIfSlow(run("rollout.precision"), false, never, told::add);
        assertThat(told).isEmpty();
    }

    @Test
    void a_limit_of_the_instructions_makes_any_processor_one_that_may_emulate() {
        assertThat(Precisions.mayBeEmulated(Map.of("ONEDNN_MAX_CPU_ISA", "AVX2")))
                .isTrue();
        assertThat(Precisions.mayBeEmulated(Map.of("ATEN_CPU_CAPABILITY", "avx2")))
                .isTrue();
        assertThat(Precisions.mayBeEmulated(Map.of("PATH", "/bin"))).isEqualTo(!NodeCards.offersBf16());
    }

    /** A run whose parts compute in float32, except this one. */
    private static RunSettings run(String bf16) {
        return settings(Stream.of("rollout.precision", "training.precision", "scoring.judge-precision")
                .map(part -> part + (part.equals(bf16) ? "=bf16" : "=f32"))
                .toArray(String[]::new));
    }
}
