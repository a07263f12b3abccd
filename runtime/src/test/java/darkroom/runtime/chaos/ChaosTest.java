package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.cluster.CommandProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fault injection against real processes: P-1, P-2, P-5 and P-7 when processes die, and a lab that can fail a run. */
@Tag("cluster")
final class ChaosTest {
    private static final Path PLANS = Path.of("..", "config", "chaos");

    @TempDir
    Path directory = Path.of("unset");

    private record Done(int code, String printed, JsonNode report) {}

    private Done chaos(String plan, String... more) throws Exception {
        Path out = directory.resolve(plan);
        List<String> arguments = new ArrayList<>(
                List.of("chaos", "--plan", PLANS.resolve(plan + ".conf").toString(), "--out", out.toString()));
        arguments.addAll(List.of(more));
        try (CommandProcess process = CommandProcess.start(directory, arguments)) {
            CommandProcess.Finished finished = process.awaitWithin(Duration.ofMinutes(15));
            return new Done(
                    finished.code(),
                    finished.printed(),
                    new JsonMapper().readTree(out.resolve("chaos.json").toFile()));
        }
    }

    /** A sample of the campaign in {@code docs/benchmarks.md}. */
    @Test
    void after_thirty_deaths_of_processes_of_every_role_the_run_is_the_undisturbed_one() throws Exception {
        Done done = chaos("campaign", "--seed", "7", "--steps", "3", "--deaths", "30");
        assertThat(done.code()).as(done.printed()).isZero();
        int deaths = 0;
        for (JsonNode run : done.report().path("runs")) {
            assertThat(run.path("equal").asBoolean()).isTrue();
            assertThat(run.path("findings")).isEmpty();
            deaths += run.path("deaths").asInt();
        }
        assertThat(deaths).isGreaterThanOrEqualTo(30);
    }

    @Test
    void a_scorer_that_gives_wrong_scores_in_good_form_is_found_out_with_the_slot_where_it_began() throws Exception {
        Done done = chaos("wrong-scores");
        assertThat(done.code()).isEqualTo(ExitCode.FAILED.code());
        JsonNode run = done.report().path("runs").path(0);
        assertThat(run.path("equal").asBoolean()).isFalse();
        assertThat(run.path("end").path("kind").asText()).isEqualTo("completed");
        assertThat(run.path("divergence").path("part").asText()).isEqualTo("score");
        assertThat(run.path("divergence").path("group").isInt()).isTrue();
        assertThat(run.path("divergence").path("slot").isInt()).isTrue();
    }
}
