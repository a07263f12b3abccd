package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    void further_rewards_read_back_equal_and_where_they_are_decides_nothing(@TempDir Path directory)
            throws IOException {
        String rewards =
                "scoring.rewards=[{ name=edit-score, endpoints=[\"http://127.0.0.1:%d/score\"], method=adapter,"
                        + " answer=/score, high=25, weight=0.5 }]";
        RunSettings settings = Recipes.load("embedded-demo", List.of(rewards.formatted(9)));
        ScoringSettings.Reward reward = settings.scoring().rewards().getFirst();
        assertThat(reward.method()).isEqualTo(ScoringSettings.Method.ADAPTER);
        assertThat(reward.weight()).isEqualTo(.5);
        assertThat(reward.templates()).isEmpty();
        Path file = Files.writeString(directory.resolve("two.conf"), Recipes.render(settings));
        assertThat(Recipes.load(file.toString(), List.of())).isEqualTo(settings);
        assertThat(Recipes.parse(Recipes.render(settings))).isEqualTo(settings);
        assertThat(Recipes.deciding(Recipes.load("embedded-demo", List.of(rewards.formatted(10)))))
                .isEqualTo(Recipes.deciding(settings))
                .isNotEqualTo(Recipes.deciding(Recipes.load("embedded-demo", List.of())));
    }

    @Test
    void what_is_recorded_of_a_template_file_are_its_words(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("add.txt"), "Was it added? \"{{instruction}}\"\n");
        Path file = Files.writeString(
                directory.resolve("own.conf"),
                "scoring.templates = [\"add=@add.txt\"]\n"
                        + "scoring.rewards = [{ name = b, endpoints = [\"http://b\"], templates = [\"any=@add.txt\"]"
                        + " }]\n");
        RunSettings settings = Recipes.load(file.toString(), List.of());
        assertThat(settings.scoring().templates()).containsExactly("add=Was it added? \"{{instruction}}\"");
        assertThat(settings.scoring().rewards().getFirst().templates())
                .containsExactly("any=Was it added? \"{{instruction}}\"");
        assertThat(Recipes.parse(Recipes.render(settings))).isEqualTo(settings);

        assertThatThrownBy(() -> Recipes.load(
                        "embedded-demo", List.of("scoring.templates=[\"any=@" + directory.resolve("gone.txt") + "\"]")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("scoring.templates")
                .hasMessageContaining("gone.txt");
    }

    /** As documented: an address, a path or a pattern on the command line needs no quotes of HOCON. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db.example:5432/runs",
                "jdbc:postgresql://[fd09::1]:5432/runs?ssl=true&sslmode=require"
            })
    void text_on_the_command_line_is_taken_as_it_is(String url) {
        RunSettings settings = Recipes.load("embedded-demo", List.of("ledger.store=postgresql", "ledger.url=" + url));
        assertThat(settings.ledger().url()).isEqualTo(url);
        assertThat(Recipes.load("embedded-demo", List.of("ledger.store=postgresql", "ledger.url=\"" + url + '"'))
                        .ledger()
                        .url())
                .as("quotes are allowed")
                .isEqualTo(url);
        assertThat(Recipes.load("embedded-demo", List.of("data.source=/data/a#b: c//d,[e]{f}"))
                        .data()
                        .source())
                .isEqualTo("/data/a#b: c//d,[e]{f}");
        assertThat(Recipes.load("embedded-demo", List.of("limits.stall-after = 2m", "groups.rule=or"))
                        .limits()
                        .stallAfter())
                .hasMinutes(2);
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

    /** F13: a run that is resumed from another working directory reads the same files. */
    @Test
    void paths_are_recorded_absolute_and_names_and_urls_as_they_are() {
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of(
                        "data.source=w",
                        "policy.base=own.safetensors",
                        "scoring.cache=answers",
                        "checkpoints.copy-to=copies",
                        "cluster.tls { certificate=a.pem, key=b.pem, authority=c.pem }",
                        "cluster.tensor-plane.driver=aeron",
                        "ledger.url=\"jdbc:postgresql://host/db?sslmode=verify-full&sslrootcert=ca.pem\""));
        RunSettings recorded = Recipes.recorded(settings, InputSettings.NONE);
        Path here = Path.of("").toAbsolutePath();
        assertThat(recorded.data().source()).isEqualTo(here.resolve("w").toString());
        assertThat(recorded.policy().base())
                .isEqualTo(here.resolve("own.safetensors").toString());
        assertThat(recorded.scoring().cache()).isEqualTo(here.resolve("answers").toString());
        assertThat(recorded.checkpoints().copyTo())
                .isEqualTo(here.resolve("copies").toString());
        assertThat(recorded.cluster().tls().certificate())
                .isEqualTo(here.resolve("a.pem").toString());
        assertThat(recorded.cluster().tls().key())
                .isEqualTo(here.resolve("b.pem").toString());
        assertThat(recorded.cluster().tls().authority())
                .isEqualTo(here.resolve("c.pem").toString());
        assertThat(recorded.cluster().tensorPlane().driver())
                .isEqualTo(here.resolve("aeron").toString());
        assertThat(recorded.ledger().url())
                .isEqualTo("jdbc:postgresql://host/db?sslmode=verify-full&sslrootcert=" + here.resolve("ca.pem"));
        assertThat(Recipes.recorded(recorded, InputSettings.NONE)).isEqualTo(recorded);

        RunSettings names = Recipes.load("embedded-demo", List.of("checkpoints.copy-to=\"s3://bucket/run\""));
        assertThat(Recipes.recorded(names, InputSettings.NONE)).isEqualTo(names);
    }

    /** P-7: what is known by its content may move. */
    @Test
    void where_an_input_is_decides_nothing_once_its_content_is_recorded() {
        InputSettings inputs = new InputSettings("0".repeat(64), "", "", "1".repeat(64), "");
        InputSettings others = new InputSettings("2".repeat(64), "", "", "1".repeat(64), "");
        RunSettings here = Recipes.load("embedded-demo", List.of("data.source=a", "policy.base=b"));
        RunSettings there = Recipes.load("embedded-demo", List.of("data.source=c", "policy.base=d"));
        assertThat(Recipes.deciding(here)).isNotEqualTo(Recipes.deciding(there));
        assertThat(Recipes.deciding(Recipes.recorded(here, inputs)))
                .isEqualTo(Recipes.deciding(Recipes.recorded(there, inputs)))
                .isNotEqualTo(Recipes.deciding(Recipes.recorded(here, others)));
    }
}
