package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.events.RunEvent;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.StepStatistics;
import darkroom.config.Recipes;
import darkroom.runtime.base.JsonLines;
import java.io.IOException;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class StepMetricsTest {
    private static GroupRewards group(int group, double... rewards) {
        return new GroupRewards(
                group,
                "row-" + group,
                DoubleStream.of(rewards).mapToObj(OptionalDouble::of).toList());
    }

    private static StepMetrics metrics(GroupRewards... groups) {
        StepStatistics statistics = StepStatistics.of(
                List.of(groups), Recipes.load("embedded-flow-grpo", List.of()).groups());
        RunEvent.StepCommitted scripted = ScriptedEvents.committed(0, .5, groups.length, List.of());
        return StepMetrics.of(
                new RunEvent.StepCommitted(
                        scripted.step(),
                        statistics,
                        scripted.tally(),
                        scripted.trainingSamples(),
                        scripted.passes(),
                        scripted.timings(),
                        scripted.state()),
                OptionalDouble.empty());
    }

    /** Two groups are all alike, one has two images at its mean, and too few scores make no group. */
    @Test
    void images_that_flow_grpo_does_not_train_are_counted() {
        StepMetrics metrics = metrics(
                group(0, .5, .5, .5, .5),
                group(1, 0, 0, 0, 0),
                group(2, .25, .5, .5, .75),
                group(3, .1, .2, .3, .5),
                group(4, .5, .5));
        assertThat(metrics.groups().abandoned()).isEqualTo(1);
        assertThat(metrics.withoutAdvantage()).hasValue(10);
    }

    @Test
    void a_line_of_an_older_run_has_no_such_count_and_is_read() throws IOException {
        ObjectNode line = JsonLines.JSON.valueToTree(metrics(group(0, .1, .2, .3, .4)));
        assertThat(line.remove("withoutAdvantage").intValue()).isZero();
        assertThat(JsonLines.JSON.treeToValue(line, StepMetrics.class).withoutAdvantage())
                .isEqualTo(OptionalInt.empty());
    }
}
