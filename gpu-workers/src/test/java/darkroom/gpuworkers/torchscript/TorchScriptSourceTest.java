package darkroom.gpuworkers.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TorchScriptSourceTest {
    @Test
    void a_source_has_its_constants_filled_in_and_no_comments() {
        String text = TorchScriptSource.of("dit_solver").with("HALF", "False").text();
        assertThat(text)
                .contains("def solver_step(x: Tensor,")
                .contains("flat.to(15)")
                .doesNotContain("$", "#");
    }

    @Test
    void a_constant_without_a_value_is_named() {
        assertThatThrownBy(() -> TorchScriptSource.of("dit_solver").text())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("dit_solver.torchscript: no value for HALF");
    }

    @Test
    void a_value_that_the_source_does_not_use_is_refused() {
        assertThatThrownBy(() -> TorchScriptSource.of("dit_solver").with("HALVES", "1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dit_solver.torchscript has no constant HALVES");
    }

    @Test
    void a_source_that_is_missing_is_named() {
        assertThatThrownBy(() -> TorchScriptSource.of("missing"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("missing.torchscript is missing");
    }
}
