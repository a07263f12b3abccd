package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Removal of nodes from a cluster: which, by whom, and when. */
class ControlQuorumTest {
    private static final Duration TICK = Duration.ofMillis(250);
    private static final int CALLS = 4;
    private final ControlQuorum quorum = new ControlQuorum(TICK.multipliedBy(CALLS), TICK);

    private static ControlQuorum.Seen control(String name, boolean reachable) {
        return new ControlQuorum.Seen(name, true, reachable, false);
    }

    private static ControlQuorum.Seen worker(String name, boolean reachable) {
        return new ControlQuorum.Seen(name, false, reachable, false);
    }

    private static ControlQuorum.Seen self(String name, boolean control) {
        return new ControlQuorum.Seen(name, control, true, true);
    }

    private Set<String> after(int calls, ControlQuorum.Seen... all) {
        for (int i = 1; i < calls; i++) {
            assertThat(quorum.gone(List.of(all))).as("call %d", i).isEmpty();
        }
        return quorum.gone(List.of(all));
    }

    /** CQ-2. */
    @Test
    void a_control_node_takes_out_a_worker_that_was_long_not_reached_and_no_sooner() {
        assertThat(after(CALLS + 1, self("c", true), worker("w", false), worker("v", true)))
                .containsExactly("w");
    }

    /** CQ-2: a storm, in which a resolver that waits until membership is stable would wait forever. */
    @Test
    void each_worker_has_its_own_time_however_many_others_come_and_go() {
        for (int i = 0; i < CALLS; i++) {
            assertThat(quorum.gone(List.of(self("c", true), worker("w", false), worker("other-" + i, false))))
                    .isEmpty();
        }
        assertThat(quorum.gone(List.of(self("c", true), worker("w", false), worker("another", false))))
                .containsExactly("w");
    }

    /** CQ-2. */
    @Test
    void a_worker_that_is_reached_again_begins_anew() {
        assertThat(after(CALLS, self("c", true), worker("w", false))).isEmpty();
        assertThat(after(1, self("c", true), worker("w", true))).isEmpty();
        assertThat(after(CALLS, self("c", true), worker("w", false))).isEmpty();
    }

    /** CQ-3: losing most of the workers at once downs no survivor. */
    @Test
    void a_control_node_stays_however_many_workers_are_gone() {
        List<ControlQuorum.Seen> all = new ArrayList<>(List.of(self("c", true), worker("survivor", true)));
        IntStream.range(0, 100).forEach(i -> all.add(worker("gone-" + i, false)));
        assertThat(after(CALLS + 1, all.toArray(ControlQuorum.Seen[]::new)))
                .hasSize(100)
                .doesNotContain("c", "survivor");
    }

    /** CQ-3. */
    @Test
    void a_worker_takes_out_nobody_while_it_reaches_the_control_node() {
        assertThat(after(10 * CALLS, self("w", false), control("c", true), worker("v", false)))
                .isEmpty();
    }

    /** CQ-3. */
    @Test
    void a_worker_that_long_reaches_no_control_node_takes_out_itself_only() {
        assertThat(after(CALLS + 1, self("w", false), control("c", false), worker("v", false)))
                .containsExactly("w");
    }

    /** CQ-4. */
    @Test
    void where_there_is_no_control_node_and_where_it_was_not_let_in_yet_a_node_waits() {
        assertThat(after(10 * CALLS, self("w", false), worker("v", false))).isEmpty();
        assertThat(after(10 * CALLS, control("c", false), worker("v", false))).isEmpty();
    }

    /** CQ-1: for any two sides of a partition, at most one keeps its control nodes. */
    @Property
    void of_two_sides_of_a_partition_at_most_one_keeps_control_nodes(
            @ForAll @IntRange(min = 0, max = 5) int here, @ForAll @IntRange(min = 0, max = 5) int there) {
        assertThat(staying(0, here, here + there) && staying(here, here + there, here + there))
                .isFalse();
    }

    /** Whether the nodes from {@code from} to {@code to}, which only see each other, stay (CQ-1). */
    private static boolean staying(int from, int to, int all) {
        if (from == to) {
            return false;
        }
        for (int me = from; me < to; me++) {
            ControlQuorum mine = new ControlQuorum(TICK, TICK);
            Collection<ControlQuorum.Seen> seen = new ArrayList<>();
            for (int node = 0; node < all; node++) {
                seen.add(new ControlQuorum.Seen("c" + node, true, from <= node && node < to, node == me));
            }
            mine.gone(seen);
            if (!mine.gone(seen).contains("c" + me)) {
                return true;
            }
        }
        return false;
    }
}
