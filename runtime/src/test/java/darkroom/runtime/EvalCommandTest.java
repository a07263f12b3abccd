package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class EvalCommandTest {
    @TempDir
    Path directory = Path.of("unset");

    private final StringWriter out = new StringWriter();

    @Test
    void the_figures_are_a_table_and_a_file_or_alone_on_standard_output() throws Exception {
        Path file = directory.resolve("figures.json");
        assertThat(eval("--split", "unseen-objects", "--json", file.toString())).isZero();
        assertThat(out.toString()).contains("on split unseen-objects", "ground truth");
        out.getBuffer().setLength(0);
        assertThat(eval("--json", "--split", "unseen-objects")).isZero();

        JsonNode alone = new JsonMapper().readTree(out.toString());
        assertThat(alone).isEqualTo(new JsonMapper().readTree(Files.readString(file)));
        assertThat(alone.at("/all/edits").intValue()).isOne();
        assertThat(alone.at("/split").textValue()).isEqualTo("unseen-objects");
    }

    private int eval(String... options) {
        List<String> all = new ArrayList<>(List.of("eval", "--checkpoint", "mixed", "--tasks", "1", "--images", "1"));
        all.addAll(List.of("--set", "evaluation.solver-steps=1"));
        all.addAll(List.of(options));
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(new StringWriter()));
        return commands.execute(all.toArray(String[]::new));
    }
}
