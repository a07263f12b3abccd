package darkroom.actors.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.config.GroupSettings;
import darkroom.config.GroupSettings.Normaliser;
import darkroom.config.GroupSettings.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class GroupStatisticsTest {
    private static final GroupRewards HIGH = scored(0, .92, .95, .97, .96);
    private static final GroupRewards MIXED = scored(1, .30, .60, .75, .20);

    @Test
    void two_groups_by_hand_give_the_advantages_of_the_public_code() {
        StepStatistics step = StepStatistics.of(List.of(HIGH, MIXED), settings(Rule.OR));

        assertThat(step.globalStd() + 1e-4).isCloseTo(.290269670, within(1e-9));
        assertThat(advantages(step, 0)).containsExactly(new double[] {-.103352, 0, .068901, .034451}, within(1e-6));
        assertThat(advantages(step, 1))
                .containsExactly(new double[] {-.559824, .473697, .990458, -.904331}, within(1e-6));
        assertThat(optimality(step, 1))
                .containsExactly(new double[] {.444018, .547370, .599046, .409567}, within(1e-6));
        assertThat(step.groups().get(0).decision()).isInstanceOf(FilterDecision.Dropped.class);
        assertThat(step.groups().get(1).decision()).isInstanceOf(FilterDecision.Kept.class);
    }

    @Test
    void rule_or_drops_what_rule_and_keeps() {
        GroupRewards highAndWide = scored(0, .85, 1.05);
        GroupRewards lowAndNarrow = scored(1, .37, .43);
        assertThat(kept(Rule.OR, highAndWide)).isFalse();
        assertThat(kept(Rule.AND, highAndWide)).isTrue();
        assertThat(kept(Rule.OR, lowAndNarrow)).isFalse();
        assertThat(kept(Rule.AND, lowAndNarrow)).isTrue();
    }

    @Test
    void on_the_threshold_rule_or_drops_and_rule_and_keeps() {
        GroupRewards meanOnThreshold = scored(0, .5, 1.0);
        GroupSettings or = thresholds(Rule.OR, .75, .05);
        GroupSettings and = thresholds(Rule.AND, .75, .5);
        assertThat(decision(meanOnThreshold, or)).isInstanceOf(FilterDecision.Dropped.class);
        assertThat(decision(meanOnThreshold, and)).isInstanceOf(FilterDecision.Kept.class);
        assertThat(decision(meanOnThreshold, thresholds(Rule.OR, .9, .25))).isInstanceOf(FilterDecision.Dropped.class);
        assertThat(decision(meanOnThreshold, thresholds(Rule.AND, .5, .25))).isInstanceOf(FilterDecision.Kept.class);
    }

    @Test
    void a_decision_says_values_thresholds_and_keys() {
        assertThat(decision(HIGH, settings(Rule.OR)).reason())
                .isEqualTo("dropped by rule OR: mean 0.950000 >= 0.9 (groups.mean-threshold), std 0.0187083 <= 0.05"
                        + " (groups.spread-threshold)");
        assertThat(decision(MIXED, settings(Rule.AND)).reason())
                .isEqualTo("kept by rule AND: mean 0.462500 <= 0.9 (groups.mean-threshold), std 0.221853 >= 0.05"
                        + " (groups.spread-threshold)");
    }

    /** P-3. */
    @Test
    void an_unscored_slot_has_no_standing_and_moves_no_statistic() {
        GroupRewards holed = new GroupRewards(
                1,
                "row",
                List.of(OptionalDouble.of(.2), OptionalDouble.empty(), OptionalDouble.of(.6), OptionalDouble.of(.4)));
        StepStatistics step = StepStatistics.of(List.of(holed), settings(Rule.AND));
        StepStatistics without = StepStatistics.of(List.of(scored(1, .2, .6, .4)), settings(Rule.AND));

        assertThat(step.globalStd()).isEqualTo(without.globalStd());
        assertThat(step.unscored()).isEqualTo(1);
        assertThat(step.groups().get(0).standings().get(1)).isEmpty();
        assertThat(step.groups().get(0).standings().get(2))
                .isEqualTo(without.groups().get(0).standings().get(1));
    }

    @Test
    void a_group_with_too_few_scores_is_abandoned_and_still_counts_in_the_global_spread() {
        GroupRewards poor = new GroupRewards(0, "row", List.of(OptionalDouble.of(1), OptionalDouble.empty()));
        StepStatistics step = StepStatistics.of(List.of(poor, MIXED), settings(Rule.AND));

        assertThat(step.groups().get(0).decision().reason())
                .isEqualTo("abandoned: 1 of 2 slots scored, groups.scored-min=2");
        assertThat(step.groups().get(0).standings()).allMatch(java.util.Optional::isEmpty);
        assertThat(step.globalStd())
                .isNotEqualTo(
                        StepStatistics.of(List.of(MIXED), settings(Rule.AND)).globalStd());
    }

    @Test
    void a_group_without_any_score_is_abandoned_even_if_none_are_needed() {
        GroupRewards silent = new GroupRewards(0, "row", List.of(OptionalDouble.empty()));
        StepStatistics step = StepStatistics.of(
                List.of(silent),
                new GroupSettings(true, Rule.AND, GroupSettings.Spread.STD, .9, .05, Normaliser.GROUP, 0, 5, true, 0));
        assertThat(step.groups().get(0).decision()).isInstanceOf(FilterDecision.Abandoned.class);
        assertThat(step.mean()).isEmpty();
    }

    @Property(tries = 300)
    void a_unanimous_group_gets_no_advantage_from_rounding(
            @ForAll @DoubleRange(min = 0, max = 1) double reward, @ForAll @IntRange(min = 2, max = 24) int slots) {
        double[] rewards = new double[slots];
        Arrays.fill(rewards, reward);
        for (Normaliser normaliser : Normaliser.values()) {
            GroupSettings settings =
                    new GroupSettings(false, Rule.AND, GroupSettings.Spread.STD, .9, .05, normaliser, 0, 5, false, 2);
            StepStatistics step = StepStatistics.of(List.of(scored(0, rewards)), settings);
            assertThat(advantages(step, 0)).containsOnly(0.0);
            assertThat(optimality(step, 0)).containsOnly(0.5);
        }
    }

    @Property(tries = 200)
    void advantages_of_a_group_add_up_to_nothing_unless_clipped(
            @ForAll @Size(min = 2, max = 24) List<@DoubleRange(min = 0, max = 1) Double> rewards) {
        GroupSettings unclipped = new GroupSettings(
                false, Rule.AND, GroupSettings.Spread.STD, .9, .05, Normaliser.GLOBAL, 1e-4, 1e9, false, 2);
        StepStatistics step = StepStatistics.of(
                List.of(scored(
                        0, rewards.stream().mapToDouble(Double::doubleValue).toArray())),
                unclipped);
        assertThat(Arrays.stream(advantages(step, 0)).sum()).isCloseTo(0, within(1e-9));
        assertThat(step.groups().get(0).standings())
                .allSatisfy(relative ->
                        assertThat(relative.orElseThrow().optimality()).isBetween(0.0, 1.0));
    }

    /** P-1. */
    @Property(tries = 50)
    void the_order_in_which_groups_end_changes_nothing(@ForAll long seed) {
        List<GroupRewards> groups = new ArrayList<>();
        Random random = new Random(seed);
        for (int group = 0; group < 6; group++) {
            groups.add(scored(group, random.doubles(5).toArray()));
        }
        StepStatistics expected = StepStatistics.of(groups, settings(Rule.OR));
        Collections.shuffle(groups, random);
        assertThat(StepStatistics.of(groups, settings(Rule.OR))).isEqualTo(expected);
    }

    @Test
    void a_group_that_is_there_twice_is_refused() {
        assertThatThrownBy(() -> StepStatistics.of(List.of(HIGH, HIGH), settings(Rule.OR)))
                .hasMessageContaining("group=0");
    }

    /** P-3. */
    @Test
    void a_reward_that_is_no_number_is_refused() {
        assertThatThrownBy(() -> scored(4, .5, Double.NaN)).hasMessageContaining("group 4 slot 1");
    }

    @Test
    void a_row_that_is_always_right_is_banned_for_good() {
        StepStatistics step = StepStatistics.of(List.of(HIGH, MIXED), settings(Rule.AND));
        PromptBan ban = PromptBan.NONE.after(step, settings(Rule.AND));

        assertThat(ban.rows()).containsExactly("row 0");
        assertThat(ban.bans("row 1")).isFalse();
        assertThat(ban.after(StepStatistics.of(List.of(MIXED), settings(Rule.AND)), settings(Rule.AND)))
                .isEqualTo(ban);
    }

    @Test
    void nothing_is_banned_when_bans_are_off() {
        GroupSettings off = new GroupSettings(
                true, Rule.AND, GroupSettings.Spread.STD, .9, .05, Normaliser.GLOBAL, 1e-4, 5, false, 2);
        assertThat(PromptBan.NONE.after(StepStatistics.of(List.of(HIGH), off), off))
                .isEqualTo(PromptBan.NONE);
    }

    private static boolean kept(Rule rule, GroupRewards group) {
        return decision(group, settings(rule)) instanceof FilterDecision.Kept;
    }

    private static FilterDecision decision(GroupRewards group, GroupSettings settings) {
        return StepStatistics.of(List.of(group), settings).groups().get(0).decision();
    }

    private static double[] advantages(StepStatistics step, int group) {
        return step.groups().get(group).standings().stream()
                .mapToDouble(relative -> relative.orElseThrow().advantage())
                .toArray();
    }

    private static double[] optimality(StepStatistics step, int group) {
        return step.groups().get(group).standings().stream()
                .mapToDouble(relative -> relative.orElseThrow().optimality())
                .toArray();
    }

    private static GroupRewards scored(int group, double... rewards) {
        return new GroupRewards(
                group,
                "row " + group,
                Arrays.stream(rewards).mapToObj(OptionalDouble::of).toList());
    }

    private static GroupSettings settings(Rule rule) {
        return thresholds(rule, .9, .05);
    }

    private static GroupSettings thresholds(Rule rule, double mean, double spread) {
        return new GroupSettings(
                true, rule, GroupSettings.Spread.STD, mean, spread, Normaliser.GLOBAL, 1e-4, 5, true, 2);
    }
}
