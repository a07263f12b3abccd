package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.gpuworkers.DitWeights;
import darkroom.runtime.studies.PretrainRate;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class PretrainCommandTest {
    private final Path folder;

    PretrainCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private record Output(int exitCode, String text) {}

    @Test
    void aBaseIsTrainedAndItsQualityStatedAndTheSameAgain() throws IOException {
        Output output = run("pretrain --base mixed --images 16 --batch 8 --seed 3 --out " + folder);
        assertThat(output.exitCode()).as(output.text()).isZero();
        assertThat(output.text()).contains("8 of 16 images", "100 %", "held-out rows: ground truth", "wrote ");
        DitWeights weights = DitWeights.read(folder.resolve("mixed.safetensors"));
        assertThat(weights.metadata()).containsEntry("darkroom.images", "16").containsEntry("darkroom.seed", "3");
        assertThat(folder.resolve("mixed-early.safetensors")).isRegularFile();
        Path again = folder.resolve("again");
        assertThat(run("pretrain --base mixed --images 16 --batch 8 --seed 3 --out " + again)
                        .exitCode())
                .isZero();
        assertThat(again.resolve("mixed.safetensors")).hasSameBinaryContentAs(folder.resolve("mixed.safetensors"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pretrain --base dirty",
                "pretrain --base clean --images 0",
                "pretrain --base clean --batch 0",
                "pretrain --base clean --resolution 48",
                "pretrain --base clean --lr 0",
                "pretrain-judge --name blind",
                "pretrain-judge --name weak --examples 0",
                "pretrain-judge --name judge --pool 3",
                "pretrain-judge --name weak --lr -1",
                "pretrain-judge",
                "pretrain-judge --as llava",
                "pretrain-judge --as qwen2.5-vl --name judge",
                "pretrain-judge --as qwen2.5-vl --trunk clean",
                "pretrain-judge --as qwen2.5-vl --examples 0",
                "pretrain-judge --as qwen2.5-vl --pool 3",
                "pretrain-judge --as qwen2.5-vl --lr 0",
                "pretrain-judge --as qwen2.5-vl --minutes 0"
            })
    void whatCannotBeTrainedIsRefusedAtOnce(String command) {
        Output output = run(command + " --out " + folder);
        assertThat(output.exitCode()).as(output.text()).isEqualTo(2);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aBaseThatIsNotThereIsNamed() {
        Output output =
                run("pretrain-judge --name weak --trunk " + folder.resolve("gone.safetensors") + " --out " + folder);
        assertThat(output.exitCode()).isOne();
        assertThat(output.text()).contains("gone.safetensors");
    }

    @Test
    void aJudgeThatIsThereIsNotWrittenOver() throws IOException {
        Files.createDirectory(folder.resolve("qwen2.5-vl"));
        Output output = run("pretrain-judge --as qwen2.5-vl --out " + folder);
        assertThat(output.exitCode()).isOne();
        assertThat(output.text()).contains("qwen2.5-vl is there already", "--out");
    }

    @Test
    void aRateTellsTheRateSinceItsLastLineAndTheTimeLeftByTheWhole() {
        long[] now = {0};
        PretrainRate rate = new PretrainRate(1000, "images", () -> TimeUnit.SECONDS.toNanos(now[0]));
        now[0] = 10;
        assertThat(rate.line(100)).isEqualTo(" 10 %  100 of 1000 images, 10/s, 90 s left");
        now[0] = 100;
        assertThat(rate.line(200)).isEqualTo(" 20 %  200 of 1000 images, 1/s, 7 min left");
        now[0] = 200;
        assertThat(rate.line(1000)).isEqualTo("100 %  1000 of 1000 images, 8/s, done in 3 min");
    }

    private static Output run(String command) {
        StringWriter text = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(text));
        commands.setErr(new PrintWriter(text));
        return new Output(commands.execute(command.split(" ")), text.toString());
    }
}
