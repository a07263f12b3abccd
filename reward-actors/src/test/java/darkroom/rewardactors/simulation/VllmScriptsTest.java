package darkroom.rewardactors.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VllmScriptsTest {
    private static final Path SOURCES = Path.of("vllm");
    private static final Pattern NEIGHBOUR = Pattern.compile("from (make_\\w+) import|\\$here/([\\w.]+)");

    private final Path folder;

    VllmScriptsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void what_is_packed_is_what_stands_in_the_sources_and_twice_is_as_good_as_once() throws IOException {
        VllmScripts.extract(folder.resolve("there"));
        VllmScripts.extract(folder.resolve("there"));
        for (Path file : extracted()) {
            assertThat(file).hasSameBinaryContentAs(SOURCES.resolve(file.getFileName()));
            assertThat(Files.isExecutable(file))
                    .as("%s can be executed", file)
                    .isEqualTo(file.toString().endsWith(".sh"));
        }
    }

    @Test
    void every_script_has_the_files_that_it_names() throws IOException {
        VllmScripts.extract(folder.resolve("there"));
        int named = 0;
        for (Path file : extracted()) {
            for (MatchResult match :
                    NEIGHBOUR.matcher(Files.readString(file)).results().toList()) {
                String name = match.group(1) == null ? match.group(2) : match.group(1) + ".py";
                assertThat(folder.resolve("there").resolve(name)).exists();
                named++;
            }
        }
        assertThat(named).isEqualTo(2);
    }

    private List<Path> extracted() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("there"))) {
            List<Path> all = files.toList();
            assertThat(all)
                    .extracting(file -> file.getFileName().toString())
                    .contains(VllmScripts.INSTALL, VllmScripts.TRAIN, VllmScripts.SERVE);
            return all;
        }
    }
}
