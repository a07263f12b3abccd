package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.runtime.cluster.CommandProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every shipped plan that is expected to pass, passes: P-1 to P-7 under all kinds of faults. */
@Tag("cluster")
final class ChaosPlansTest {
    @TempDir
    Path directory = Path.of("unset");

    @ParameterizedTest
    @ValueSource(strings = {"kill-everything", "gray-failures", "scorers", "storage", "swarm"})
    void a_run_to_which_this_happens_is_the_undisturbed_one(String plan) throws Exception {
        Path file = Path.of("..", "config", "chaos", plan + ".conf");
        try (CommandProcess process = CommandProcess.start(
                directory,
                List.of(
                        "chaos",
                        "--plan",
                        file.toString(),
                        "--seed",
                        "7",
                        "--out",
                        directory.resolve(plan).toString()))) {
            CommandProcess.Finished finished = process.awaitWithin(Duration.ofMinutes(15));
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(new JsonMapper()
                            .readTree(directory
                                    .resolve(plan)
                                    .resolve("chaos.json")
                                    .toFile())
                            .path("passed")
                            .asBoolean())
                    .isTrue();
        }
    }
}
