package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.Recipes;
import darkroom.config.ScoringSettings;
import darkroom.runtime.base.CommandFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ScorersTest {
    @Test
    void a_cache_that_is_a_file_is_named_with_its_reason_and_no_class_of_a_program(@TempDir Path directory)
            throws IOException {
        Path cache = Files.createFile(directory.resolve("cache"));
        ScoringSettings settings = Recipes.load(
                        "embedded-demo",
                        List.of("scoring.endpoints=[\"http://127.0.0.1:1/v1\"]", "scoring.cache=\"" + cache + "\""))
                .scoring();
        try (Scorers scorers = Scorers.open(settings)) {
            assertThatThrownBy(() -> scorers.scorer(settings))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessage("scoring.cache=%s cannot be used: the file exists already".formatted(cache));
        }
    }
}
