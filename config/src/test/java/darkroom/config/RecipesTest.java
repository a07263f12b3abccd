package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipesTest {
    @Test
    void every_shipped_recipe_is_valid_and_bears_its_name() {
        for (String name : Recipes.SHIPPED) {
            assertThat(Recipes.load(name, List.of()).recipe()).isEqualTo(name);
        }
    }

    @Test
    void what_is_written_reads_back_equal(@TempDir Path directory) throws IOException {
        for (String name : Recipes.SHIPPED) {
            RunSettings settings = Recipes.load(name, List.of("seed=7", "scoring.endpoints=[\"http://127.0.0.1:9\"]"));
            Path file = Files.writeString(directory.resolve(name + ".conf"), Recipes.render(settings));
            assertThat(Recipes.load(file.toString(), List.of())).isEqualTo(settings);
        }
    }

    @Test
    void an_unknown_key_is_named_with_the_keys_that_there_are() {
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("rollout.groups=3")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("rollout.groups")
                .hasMessageContaining("rollout.groups-per-step");
    }

    @Test
    void a_value_that_is_not_allowed_is_named_with_those_that_are() {
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("groups.rule=xor")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("groups.rule=xor")
                .hasMessageContaining("[and, or]");
    }

    @Test
    void an_unknown_recipe_is_named_with_those_that_ship() {
        assertThatThrownBy(() -> Recipes.load("embeded-demo", List.of()))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("embedded-demo");
    }

    @Test
    void workers_and_limits_do_not_decide_a_result_and_seeds_do() {
        String deciding = Recipes.deciding(Recipes.load("embedded-demo", List.of()));
        for (String free : List.of("workers.rollout-devices=5", "workers.gradient-units-per-lease=8")) {
            assertThat(Recipes.deciding(Recipes.load("embedded-demo", List.of(free))))
                    .isEqualTo(deciding);
        }
        assertThat(Recipes.deciding(Recipes.load("embedded-demo", List.of("seed=1"))))
                .isNotEqualTo(deciding);
    }
}
