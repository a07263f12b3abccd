package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.runtime.base.ExitCode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Benchmarks of a few short steps: checks what they measure, not how long it takes. */
final class BenchCommandTest {
    private static final List<String> SMALL = List.of(
            "--set",
            "workers.device=virtual",
            "--set",
            "workers.virtual.rollout=1ms",
            "--set",
            "workers.virtual.score=1ms",
            "--set",
            "workers.virtual.unit=1ms",
            "--set",
            "rollout.groups-per-step=2",
            "--set",
            "rollout.images-per-group=4");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(List<String> given, String... more) {
        List<String> arguments = new ArrayList<>(List.of("bench"));
        arguments.addAll(given);
        arguments.addAll(List.of(more));
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out, true));
        commands.setErr(new PrintWriter(err, true));
        return commands.execute(arguments.toArray(String[]::new));
    }

    private JsonNode figures() throws JsonProcessingException {
        return new JsonMapper().readTree(out.toString().lines().toList().getLast());
    }

    /** P-10: both kinds of run end with the same weights, and a pair is one line. */
    @Test
    void recovery_is_measured_in_pairs_of_equal_runs() throws JsonProcessingException {
        List<String> arguments =
                new ArrayList<>(List.of("recovery", "--pairs", "2", "--steps", "3", "--checkpoint-every", "1"));
        arguments.addAll(SMALL);
        assertThat(run(arguments)).as(err.toString()).isZero();
        assertThat(out.toString().lines().filter(line -> line.startsWith("pair ")))
                .hasSize(2);
        assertThat(figures().path("pairs").asInt()).isEqualTo(2);
        assertThat(figures().path("longerPercentMedian").isNumber()).isTrue();
    }

    @Test
    void a_pair_of_one_step_is_refused_with_what_it_needs() {
        assertThat(run(List.of("recovery", "--steps", "1"))).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--steps=1", "two steps");
    }

    /** The lower bound is the longest chain: a group, its score, and a gradient unit. */
    @Test
    void the_loop_is_compared_with_the_sum_of_its_devices_times() throws JsonProcessingException {
        assertThat(run(
                        List.of("loop"),
                        "--workers",
                        "2",
                        "--draw",
                        "20",
                        "--score",
                        "10",
                        "--unit",
                        "30",
                        "--steps",
                        "2",
                        "--warm-up",
                        "1",
                        "--images",
                        "4"))
                .as(err.toString())
                .isZero();
        assertThat(figures().path("boundMs").asDouble()).isEqualTo(60);
        assertThat(figures().path("stepMs").asDouble()).isGreaterThanOrEqualTo(60);
        assertThat(figures().path("images").asInt()).isEqualTo(4);
    }
}
