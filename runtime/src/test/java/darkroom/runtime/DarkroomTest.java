package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.base.ExitCode;
import darkroom.runtime.cluster.NodeArguments;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class DarkroomTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void without_a_command_the_help_is_shown() {
        assertThat(run()).isZero();
        assertThat(out.toString()).contains("demo", "train", "score", "Exit codes:");
    }

    @TestFactory
    java.util.stream.Stream<DynamicTest> every_command_has_help_with_a_description() {
        return Darkroom.commandLine().getSubcommands().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    DarkroomTest fresh = new DarkroomTest();
                    assertThat(fresh.run(entry.getKey(), "--help")).isZero();
                    assertThat(fresh.out.toString()).contains("Usage: darkroom " + entry.getKey());
                    assertThat(entry.getValue().getCommandSpec().usageMessage().description())
                            .isNotEmpty();
                }));
    }

    @Test
    void version_names_the_build_and_the_virtual_machine() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("(?s)darkroom \\d.*JVM 25.*");
    }

    @Test
    void an_unknown_command_is_a_usage_error_with_a_proposal() {
        assertThat(run("trian")).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("trian");
    }

    @Test
    void the_options_of_the_called_command_alone_are_read() {
        assertThat(Darkroom.commandLine("node", "--help").getSubcommands()).containsOnlyKeys("node");
        assertThat(Darkroom.commandLine("--debug", "node").getSubcommands()).containsKeys("node", "train");
    }

    @Test
    void the_completion_script_knows_the_commands() {
        assertThat(run("generate-completion")).isZero();
        assertThat(out.toString()).contains("complete -F", "pretrain-judge");
    }

    /** F5. */
    @Test
    void what_cannot_be_printed_makes_the_command_fail() throws IOException {
        for (String[] command : new String[][] {{"config", "show"}, {"--version"}, {"train", "--help"}, {}}) {
            try (OutputStream full = new FileOutputStream("/dev/full")) {
                assertThat(printingTo(full, command)).isEqualTo(ExitCode.FAILED.code());
            }
            assertThat(err.toString())
                    .contains("standard output could not be written: ")
                    .containsIgnoringCase("no space left");
        }
        assertThat(printingTo(new ByteArrayOutputStream(), "config", "show")).isZero();
    }

    @Test
    void a_reader_that_has_gone_ends_a_command_quietly() {
        OutputStream gone = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        assertThat(printingTo(gone, "config", "show")).isZero();
        assertThat(err.toString()).isEmpty();
    }

    private int printingTo(OutputStream stdout, String... args) {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            return Darkroom.run(stdout, args);
        } finally {
            System.setErr(before);
            err.append(said.toString(StandardCharsets.UTF_8));
        }
    }

    /** U11. */
    @Test
    void a_wrong_value_is_one_line_and_where_help_is() {
        assertThat(run("train", "--steps", "many")).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--steps").contains("darkroom train --help");
        assertThat(err.toString().lines()).hasSizeLessThanOrEqualTo(2);
        DarkroomTest deeper = new DarkroomTest();
        assertThat(deeper.run("ledger", "export")).isEqualTo(ExitCode.USAGE.code());
        assertThat(deeper.err.toString()).contains("darkroom ledger export --help");
        assertThat(deeper.err.toString().lines()).hasSizeLessThanOrEqualTo(2);
    }

    private int run(String... args) {
        CommandLine commands = Darkroom.commandLine(args);
        commands.setOut(new PrintWriter(out, true));
        commands.setErr(new PrintWriter(err, true));
        return commands.execute(args);
    }

    /** A setting that is valid but read elsewhere is refused by a command that does not read it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train --set cluster.host=10.0.0.1 | --set cluster.host=10.0.0.1 has no effect on a run in one process",
                "train --set faults.enabled=true | --set faults.enabled=true has no effect on a run in one process",
                "train --nodes control=1,rollout=1,trainer=1,reward=1 --rollout-devices 2 | one device each",
                "train --nodes control=1,rollout=1,trainer=1,reward=1 --set workers.trainer-devices=2 | one device"
                        + " each",
                "train --set workers.device=virtual | workers.device=virtual computes nothing",
                "train --set policy.guidance=2 | 1.0 with policy.model=embedded",
                "node --roles rollout --join a:1 --set rollout.groups-per-step=2 | has no effect on a worker node",
                "node --roles control --set workers.rollout-devices=2 | as many devices as --devices says",
            })
    void a_setting_without_an_effect_is_refused(String command, String message) {
        assertThat(run(command.split(" "))).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains(message);
    }

    @Test
    void nodes_that_train_starts_have_its_settings_of_cluster_limits_and_faults_and_ports_of_their_own() {
        assertThat(NodeArguments.ofCluster(List.of(
                        "faults.enabled=true",
                        "limits.lease-time=7s",
                        "cluster.host=localhost",
                        "cluster.port=25520",
                        "cluster.status-port=8558",
                        "steps=3")))
                .containsExactly("faults.enabled=true", "limits.lease-time=7s", "cluster.host=localhost");
    }
}
