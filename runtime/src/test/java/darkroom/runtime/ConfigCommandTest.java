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
        Path scored = Files.writeString(folder.resolve("scored.conf"), """
            include classpath("darkroom/config/recipes/uniworld-v2.conf")
            scoring.endpoints = ["http://localhost:8000"]
            """);
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

    /** F18. */
    @Test
    void allFaultsOfAFileAreReportedAtOnce() throws IOException {
        Path many = Files.writeString(folder.resolve("many.conf"), """
            rollout { images-per-group = 1, groups-per-step = 0 }
            groups.thresold = 1
            data { tasks = [add, addd, remuve], on-malformed = ignore }
            scoring { judge = juge, method = pattern, answer = "[0-9", timeout = 30 }
            scoring.endpoints = ["http://localhost:99999"]
            scoring.rewards = [
              { name = A, endpoints = ["http://a"] }
              { name = b, endpoints = ["http://a"], weight = 0 }
            ]
            cluster { port = 99999, seed-nodes = ["a:70000"], tls { certificate = a.pem, key = b.pem, authority = c.pem } }
            ledger.url = "jdbc:postgresql://host:70000/db"
            policy.base = nowhere.safetensors
            steps = 0
            """);
        Output checked = run("config", "check", many.toString());
        assertThat(checked.exitCode()).isEqualTo(2);
        assertThat(checked.out()).isEmpty();
        assertThat(checked.err())
                .contains(
                        "groups.thresold",
                        "rollout.images-per-group=1: ",
                        "rollout.groups-per-step=0: ",
                        "data.on-malformed=ignore: ",
                        "task type 'addd' is not known",
                        "task type 'remuve' is not known",
                        "scoring.judge=juge: ",
                        "scoring.answer=\"[0-9\": ",
                        "scoring.timeout=30: ",
                        "scoring.endpoints=http://localhost:99999: ",
                        "scoring.rewards.name=\"A\": ",
                        "scoring.rewards.weight=0.0: ",
                        "cluster.port=99999: ",
                        "cluster.seed-nodes=\"a:70000\": ",
                        "cluster.tls.certificate=a.pem: ",
                        "ledger.url=\"jdbc:postgresql://host:70000/db\": ",
                        "policy.base=nowhere.safetensors: ",
                        "steps=0: ");
        assertThat(checked.err().lines()).allMatch(line -> line.startsWith(many + ": "));
    }

    @Test
    void anIncludeThatIsNotThereIsAnErrorAndNotOtherSettings() throws IOException {
        for (String include : List.of(
                "classpath(\"darkroom/config/recipes/embeded-demo.conf\")",
                "\"mine-base.conf\"",
                "\"mine-base\"",
                "file(\"" + folder.resolve("gone.conf") + "\")",
                "url(\"file:" + folder.resolve("gone.conf") + "\")")) {
            Path file = Files.writeString(folder.resolve("inc.conf"), "include " + include + "\nrecipe = mine\n");
            Output checked = run("config", "check", file.toString());
            assertThat(checked.exitCode()).as(include).isEqualTo(2);
            assertThat(checked.err()).as(include).containsAnyOf("embeded-demo", "mine-base", "gone.conf");
        }
        Files.writeString(
                folder.resolve("base.conf"), "include classpath(\"darkroom/config/recipes/embedded-demo.conf\")");
        Path file = Files.writeString(folder.resolve("good.conf"), "include \"base\"\nrecipe = mine\n");
        assertThat(Recipes.load(file.toString(), List.of()))
                .isEqualTo(Recipes.load("embedded-demo", List.of("recipe=mine")));
    }

    @Test
    void aTemplateThatNoScorerCanBeAskedIsAFault() throws IOException {
        Files.writeString(folder.resolve("t.txt"), "Is it {{instuction}}?");
        Path file = Files.writeString(folder.resolve("t.conf"), "scoring.templates = [\"any=@t.txt\"]");
        assertThat(run("config", "check", file.toString()).err()).contains("{{instuction}} is no placeholder");
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
