package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * F8 and F9: the scripts in the environments of cron, systemd and containers, with a fake java that reports how it was
 * called.
 */
final class LauncherTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** {@code ${NAME:-...}}, and {@code ${NAME:+...$NAME...}} up to the name itself. */
    private static final Pattern GUARDED = Pattern.compile("\\$\\{(\\w+):(?:-|\\+\\$\\1)");

    private static final Pattern FROM_OUTSIDE =
            Pattern.compile("\\$\\{?(?:HOME|USER|LOGNAME|TMPDIR|PATH|SHELL|LANG|TERM|XDG_\\w+|DISPLAY|HOSTNAME)\\b");

    @TempDir
    Path home = Path.of("unset");

    @Test
    void the_launcher_needs_no_variable_and_names_files_in_utf_8() throws Exception {
        Path launcher = launcher();
        for (List<String> environment : List.of(
                List.of("env", "-i"),
                List.of("env", "-u", "HOME", "-u", "USER", "-u", "TMPDIR", "-u", "LOGNAME"),
                List.of("env", "-i", "HOME=/nonexistent", "PATH=/nonexistent"),
                List.of("env", "LC_ALL=C"),
                List.of("env", "LANG=xx_XX.UTF-8", "LC_ALL="))) {
            String said = run(environment, launcher, "dataset", "validate", "mine");
            assertThat(said).as(environment.toString()).contains("locale=C.UTF-8 ", "dataset validate mine");
        }
    }

    @Test
    void the_scripts_of_services_name_files_in_utf_8() throws Exception {
        Path java = java(home);
        for (String script : List.of("darkroom-train", "darkroom-node")) {
            String said = run(
                    List.of("env", "-i", "DARKROOM_JAVA=" + java, "DARKROOM_JAR=x.jar"),
                    ROOT.resolve("deploy").resolve(script),
                    "--steps");
            assertThat(said).as(script).contains("locale=C.UTF-8 ", "x.jar", "--steps");
        }
        for (String unit : List.of("darkroom", "darkroom-control", "darkroom-standby", "darkroom-worker")) {
            assertThat(ROOT.resolve("deploy").resolve(unit + ".service"))
                    .content()
                    .contains("Environment=LC_ALL=C.UTF-8");
        }
        assertThat(ROOT.resolve("deploy/Containerfile")).content().contains("LC_ALL=C.UTF-8");
    }

    /** Under {@code set -u} a script ends at a variable that is not set. */
    @Test
    void no_script_relies_on_a_variable_of_the_environment() throws Exception {
        List<String> unguarded = new ArrayList<>();
        for (Path script : scripts()) {
            String text = GUARDED.matcher(Files.readString(script).replaceAll("(?m)^\\s*#.*$", ""))
                    .replaceAll("");
            Matcher used = FROM_OUTSIDE.matcher(text);
            while (used.find()) {
                unguarded.add(script + ": " + used.group());
            }
        }
        assertThat(unguarded).isEmpty();
    }

    private static List<Path> scripts() {
        return List.of(
                ROOT.resolve("darkroom"),
                ROOT.resolve(".ci/run"),
                ROOT.resolve("deploy/darkroom-node"),
                ROOT.resolve("deploy/darkroom-train"),
                ROOT.resolve("gpu-workers/bench/side_by_side.sh"),
                ROOT.resolve("reward-actors/vllm/install.sh"),
                ROOT.resolve("reward-actors/vllm/serve.sh"));
    }

    /** Returns the launcher in a built tree. */
    private Path launcher() throws IOException {
        Path launcher = Files.copy(ROOT.resolve("darkroom"), home.resolve("darkroom"));
        Files.createDirectories(home.resolve("runtime/src/main"));
        Files.writeString(home.resolve("pom.xml"), "");
        Files.writeString(home.resolve("runtime/pom.xml"), "");
        Files.createDirectories(home.resolve("runtime/target"));
        Files.writeString(home.resolve("runtime/target/darkroom.jar"), "");
        Files.writeString(home.resolve("runtime/target/darkroom.built"), "");
        java(home);
        return launcher;
    }

    private static Path java(Path home) throws IOException {
        Path java = Files.createDirectories(home.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho \"locale=$LC_ALL $*\"\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.writeString(home.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
        return java;
    }

    private String run(List<String> environment, Path script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(environment);
        command.add("DARKROOM_JAVA_HOME=" + home.resolve("jdk"));
        command.add("/bin/bash");
        command.add(script.toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(environment + said).isZero();
        return said;
    }
}
