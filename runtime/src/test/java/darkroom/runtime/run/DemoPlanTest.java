package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.Darkroom;
import darkroom.runtime.DemoCommand;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.ManualClock;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.report.ScriptedEvents;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class DemoPlanTest {
    private static final RunSettings RECIPE = Recipes.load("embedded-demo", List.of());
    private static final Duration SIX_MINUTES = Duration.ofMinutes(6);

    private static FirstSteps.Speed speed(double secondsPerStep, double evaluatedPerSecond) {
        return new FirstSteps.Speed(Duration.ofMillis(Math.round(1000 * secondsPerStep)), evaluatedPerSecond);
    }

    @Test
    void a_fast_machine_takes_all_steps_of_the_recipe() {
        DemoPlan plan = DemoPlan.of(RECIPE, speed(1.5, 150), SIX_MINUTES);
        assertThat(plan.steps()).isEqualTo(160);
        assertThat(plan.tasks()).isEqualTo(240);
        assertThat(plan.fits()).isTrue();
        assertThat(plan.takes()).isLessThan(SIX_MINUTES);
    }

    @Test
    void a_machine_that_is_slower_takes_what_fits_and_not_one_step_less() {
        FirstSteps.Speed speed = speed(2.6, 90);
        DemoPlan plan = DemoPlan.of(RECIPE, speed, SIX_MINUTES);
        assertThat(plan.steps()).isBetween(DemoPlan.STEPS_MIN + 1, 159);
        assertThat(plan.takes()).isLessThanOrEqualTo(SIX_MINUTES);
        assertThat(plan.takes().plus(speed.step())).isGreaterThan(SIX_MINUTES);
    }

    @Test
    void a_slow_machine_takes_the_fewest_steps_that_learn_and_says_that_they_do_not_fit() {
        FirstSteps.Speed speed = speed(20, 6);
        DemoPlan plan = DemoPlan.of(RECIPE, speed, SIX_MINUTES);
        assertThat(plan.steps()).isEqualTo(DemoPlan.STEPS_MIN);
        assertThat(plan.fits()).isFalse();
        assertThat(plan.tasks()).isBetween(DemoPlan.TASKS_MIN, 239);
        assertThat(plan.tasks() * 4 / 6.0).as("seconds before the first step").isLessThan(46);
        ManualClock clock = ManualClock.at("2026-11-30T12:00:00Z");
        assertThat(DemoCommand.announcement(plan, speed, RECIPE, clock.instant(), SIX_MINUTES))
                .contains(
                        "20.0 s",
                        "60 steps, which do not fit into 6 minutes",
                        "of 240 held-out tasks",
                        "done at about");
    }

    @Property(tries = 200)
    void more_time_never_takes_fewer_steps(
            @ForAll @DoubleRange(min = 0.05, max = 200) double step,
            @ForAll @DoubleRange(min = 0.5, max = 2000) double rate,
            @ForAll @IntRange(min = 1, max = 3000) int seconds) {
        DemoPlan less = DemoPlan.of(RECIPE, speed(step, rate), Duration.ofSeconds(seconds));
        DemoPlan more = DemoPlan.of(RECIPE, speed(step, rate), Duration.ofSeconds(seconds + 60));
        assertThat(more.steps()).isGreaterThanOrEqualTo(less.steps());
        assertThat(less.steps()).isBetween(DemoPlan.STEPS_MIN, 160);
        assertThat(less.tasks()).isBetween(DemoPlan.TASKS_MIN, 240);
        assertThat(less.fits()).isEqualTo(less.takes().compareTo(Duration.ofSeconds(seconds)) <= 0);
    }

    @Test
    void what_was_chosen_makes_the_same_run_again() {
        DemoPlan plan = DemoPlan.of(RECIPE, speed(2.6, 90), SIX_MINUTES);
        RunSettings chosen = Recipes.load("embedded-demo", plan.overrides());
        assertThat(chosen.steps()).isEqualTo(plan.steps());
        assertThat(Recipes.deciding(chosen)).isEqualTo(Recipes.deciding(RECIPE));
    }

    @Test
    void a_step_in_which_code_is_compiled_does_not_count_and_of_the_others_the_fastest_does() {
        ManualClock clock = ManualClock.at("2026-11-30T12:00:00Z");
        List<String> said = new ArrayList<>();
        FirstSteps first = new FirstSteps(clock, said::add);
        for (int seconds : List.of(6, 3, 4)) {
            clock.passSeconds(seconds);
            first.heard(ScriptedEvents.committed(said.size(), 0.3125, 1));
        }
        assertThat(first.step()).isEqualTo(Duration.ofSeconds(3));
        assertThat(said).as("one result, of the first step").hasSize(1);
        assertThat(said.getFirst()).contains("in 6.0 s", "0.313");
    }

    @Test
    void a_slow_machine_measures_one_step() {
        ManualClock clock = ManualClock.at("2026-11-30T12:00:00Z");
        FirstSteps first = new FirstSteps(clock, _ -> {});
        var committed = ScriptedEvents.committed(0, 0.3, 1);
        assertThat(first.reason(committed, Optional.empty())).isEmpty();
        clock.passSeconds(40);
        first.heard(committed);
        assertThat(first.reason(committed, Optional.empty())).isPresent();
        assertThat(first.step()).isEqualTo(Duration.ofSeconds(40));
    }

    /** Uses real devices and the real judge; as small as a run can be. */
    @Test
    void the_first_steps_of_a_run_are_measured_with_its_devices_and_its_judge() throws Exception {
        RunSettings small = Recipes.load(
                "embedded-demo",
                List.of(
                        "rollout.groups-per-step=2",
                        "rollout.images-per-group=4",
                        "rollout.solver-steps=2",
                        "training.unit-samples=4",
                        "training.optimizer-steps=1",
                        "evaluation.images-per-task=1",
                        "evaluation.solver-steps=1"));
        List<String> said = new ArrayList<>();
        FirstSteps.Speed speed = FirstSteps.measure(
                Precisions.decided(small), InstantSource.system(), new PrintWriter(new StringWriter()), said::add);
        assertThat(speed.step()).isPositive();
        assertThat(speed.evaluatedPerSecond()).isPositive();
        assertThat(said).hasSize(1).first().asString().contains("8 edits generated", "mean score is 0.");
    }

    @ParameterizedTest
    @CsvSource({"--minutes=0,above 0", "--minutes=-3,above 0", "--minutes=NaN,above 0", "--minutes=9999,1440"})
    void minutes_that_cannot_work_are_refused(String option, String allowed, @TempDir Path directory) {
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine("demo");
        commands.setErr(new PrintWriter(err, true));
        assertThat(commands.execute(
                        "demo", option, "--out", directory.resolve("run").toString()))
                .isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--minutes", allowed);
        assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void a_quick_demo_takes_no_minutes_and_a_place_that_is_taken_is_refused_before_anything_is_measured(
            @TempDir Path directory) throws Exception {
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine("demo");
        commands.setErr(new PrintWriter(err, true));
        assertThat(commands.execute("demo", "--quick", "--minutes=3")).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--minutes");
        Files.writeString(directory.resolve("thesis.txt"), "precious");
        assertThatThrownBy(() -> LocalRun.requireFree(directory)).hasMessageContaining("is not empty");
    }
}
