package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.Recipes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ConfigCommandTest {
    private final Path folder;

    ConfigCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private record Output(int exitCode, String out, String err) {}

    @Test
    void whatIsShownIsAFileThatLoadsToTheSameSettings() throws IOException {
        Output shown = run("config", "show", "--recipe", "qwen-image-edit", "--set", "seed=3", "--set", "steps=9");
        assertThat(shown.exitCode()).isZero();
        assertThat(shown.out())
                .contains(
                        "# tau mu",
                        "schedule = qwen",
                        "(default kontext; public: the scheduler of FLUX.1-Kontext-dev)");
        Path file = Files.writeString(folder.resolve("mine.conf"), shown.out());
        assertThat(Recipes.load(file.toString(), List.of()))
                .isEqualTo(Recipes.load("qwen-image-edit", List.of("seed=3", "steps=9")));
        assertThat(run("config", "show", "--file", file.toString()).out()).isEqualTo(shown.out());
    }

    @Test
    void a_model_that_the_embedded_judge_does_not_know_is_not_valid_without_scorers() throws IOException {
        Path scored = Files.writeString(
                folder.resolve("scored.conf"),
                "include classpath(\"darkroom/config/recipes/uniworld-v2.conf\")\n"
                        + "scoring.endpoints = [\"http://localhost:8000\"]\n");
        assertThat(run("config", "check", scored.toString(), "embedded-paper-literal")
                        .exitCode())
                .isZero();
        for (String recipe : List.of("flux-kontext", "flux-kontext-ban", "qwen-image-edit-public", "uniworld-v2")) {
            Output checked = run("config", "check", recipe);
            assertThat(checked.exitCode()).isEqualTo(2);
            assertThat(checked.err())
                    .contains(recipe + ": scoring.endpoints=[]: allowed are ")
                    .contains("Set scoring.endpoints=");
        }
    }

    @Test
    void everyWrongFileIsNamedWithItsKey() throws IOException {
        Path first = Files.writeString(folder.resolve("first.conf"), "rollout { images-per-group = 1 }");
        Path second = Files.writeString(folder.resolve("second.conf"), "groups.thresold = 1");
        Path third = Files.writeString(folder.resolve("third.conf"), "groups {");
        Output checked = run("config", "check", first.toString(), "embedded-demo", second.toString(), third.toString());
        assertThat(checked.exitCode()).isEqualTo(2);
        assertThat(checked.out()).contains("embedded-demo: valid");
        assertThat(checked.err())
                .contains("first.conf: rollout.images-per-group=1: allowed are whole numbers from 2")
                .contains("second.conf: ", "groups.thresold", "groups.mean-threshold")
                .contains("third.conf: ");
    }

    @Test
    void aRecipeThatIsNotThereIsUsage() {
        assertThat(run("config", "show", "--recipe", "flux").exitCode()).isEqualTo(2);
        assertThat(run("config", "show", "--recipe", "embedded-demo", "--file", "x")
                        .exitCode())
                .isEqualTo(2);
        assertThat(run("config", "check").exitCode()).isEqualTo(2);
    }

    private static Output run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        return new Output(commands.execute(arguments), out.toString(), err.toString());
    }
}
