package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.chaos.ChaosPlan.Planned;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.FaultOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChaosPlanTest {
    private static final Path SHIPPED = Path.of("..", "config", "chaos");

    @TempDir
    Path directory = Path.of("unset");

    @Test
    void every_plan_that_ships_is_one_and_together_they_have_every_kind_and_moment() throws IOException {
        Set<FaultKind> kinds = new HashSet<>();
        Set<FaultMoment> moments = new HashSet<>();
        try (Stream<Path> files = Files.list(SHIPPED)) {
            for (Path file : files.toList()) {
                ChaosPlan plan = ChaosPlan.read(file);
                Stream.concat(
                                plan.faults().stream().map(Planned::order),
                                plan.random().stream().flatMap(chance -> chance.kinds().stream()))
                        .forEach(order -> {
                            kinds.add(order.kind());
                            order.moment().ifPresent(moments::add);
                        });
            }
        }
        assertThat(kinds).containsExactlyInAnyOrder(FaultKind.values());
        assertThat(moments).containsExactlyInAnyOrder(FaultMoment.values());
    }

    @Test
    void what_chance_does_is_a_function_of_the_seed() {
        ChaosPlan plan = ChaosPlan.read(SHIPPED.resolve("swarm.conf"));
        assertThat(plan.schedule(3)).isEqualTo(plan.schedule(3)).hasSize(25);
        assertThat(plan.schedule(3)).isNotEqualTo(plan.schedule(4));
    }

    @Test
    void a_swarm_has_a_part_of_the_kinds_and_over_many_runs_all_of_them() {
        ChaosPlan plan = ChaosPlan.read(SHIPPED.resolve("swarm.conf"));
        int all = (int) plan.random().orElseThrow().kinds().stream().distinct().count();
        Set<FaultOrder> seen = new HashSet<>();
        for (int seed = 0; seed < 50; seed++) {
            Set<FaultOrder> one = new HashSet<>();
            plan.schedule(seed).forEach(planned -> one.add(planned.order()));
            assertThat(one.size()).isPositive().isLessThan(all);
            seen.addAll(one);
        }
        assertThat(seen).hasSize(all);
    }

    @Test
    void a_fault_that_happens_several_times_happens_at_its_pace() throws IOException {
        ChaosPlan plan = read("faults = [ { kind = kill, on = trainer, after = 1s, times = 3, every = 2s } ]");
        assertThat(plan.schedule(1))
                .extracting(Planned::after)
                .containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(3), Duration.ofSeconds(5));
    }

    @Test
    void a_fault_happens_where_it_can_unless_the_plan_says_where() throws IOException {
        ChaosPlan plan = read("faults = [ { kind = scorer-error }, { kind = torn-checkpoint },"
                + " { kind = kill-at, moment = commit }, { kind = kill } ]");
        assertThat(plan.faults()).extracting(Planned::on).containsExactly("reward", "control", "control", "any");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "faults = [ { kind = kil } ] | there is no fault \"kil\"; there are kill,",
                "faults = [ { kind = kill, whom = rollout } ] | number 1: there is no [whom]",
                "faults = [ { kind = kill }, { on = rollout } ] | number 2: kind is missing",
                "faults = [ { kind = kill, on = gpu } ] | on=gpu: allowed are",
                "faults = [ { kind = kill-at, moment = never } ] | there is no moment \"never\"",
                "faults = [ { kind = kill-at, moment = commit, on = rollout } ] | only a control node",
                "faults = [ { kind = kill, moment = join } ] | kill has no moment",
                "faults = [ { kind = tensor-loss, share = 2 } ] | share=2.0",
                "faults = [ { kind = stop, for = 2h } ] | up to 1h",
                "faults = [ { kind = partition, direction = up } ] | direction=up: allowed are",
                "faults = [ { kind = stop, for = soon } ] | for",
                "random { kinds = [ kill ], every-min = 2s, every-max = 1s } | every-min is above every-max",
                "random { on = [ rollout ] } | kinds is missing",
                "steps = 3 | neither faults nor random",
                "nodes = \"rollout=x\", faults = [ { kind = kill } ] | nodes: \"rollout=x\" is not ROLE=N",
                "stepz = 3, faults = [ { kind = kill } ] | there is no [stepz]"
            })
    void a_plan_that_is_none_is_refused_with_what_is_wrong_and_where(String text, String said) throws IOException {
        Path file = directory.resolve("plan.conf");
        Files.writeString(file, text);
        assertThatThrownBy(() -> ChaosPlan.read(file))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(said);
    }

    @Test
    void a_plan_that_is_not_there_is_said_to_be_missing() {
        assertThatThrownBy(() -> ChaosPlan.read(directory.resolve("none.conf")))
                .hasMessageContaining("there is no plan");
    }

    private ChaosPlan read(String text) throws IOException {
        return ChaosPlan.read(Files.writeString(directory.resolve("plan.conf"), text));
    }

    @Test
    void settings_of_the_plan_are_overrides_in_the_order_of_their_names() throws IOException {
        ChaosPlan plan =
                read("settings { rollout.staleness = 1, limits.lease-time = 2s }, faults = [ { kind = kill } ]");
        assertThat(plan.settings()).isEqualTo(List.of("limits.lease-time=\"2s\"", "rollout.staleness=1"));
    }
}
