package darkroom.actors.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.numeric.RandomKey.Purpose;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** P-1: noise is keyed, never taken from a generator with history. */
class RandomKeyTest {
    private static final RandomKey KEY = RandomKey.of(42, Purpose.INITIAL_NOISE, 3, 5, 7);

    @Test
    void the_same_key_gives_the_same_bits_whatever_was_drawn_before() {
        float[] first = normals(KEY, 3072);
        normals(KEY.atOrdinal(1), 999);
        assertThat(normals(KEY, 3072)).containsExactly(first);
    }

    @Test
    void bits_are_pinned_so_that_a_seed_keeps_its_meaning() {
        assertThat(Arrays.hashCode(normals(KEY, 3072))).isEqualTo(PINNED_NORMALS);
        assertThat(KEY.permutation(6)).containsExactly(PINNED_PERMUTATION);
    }

    @Property(tries = 50)
    void a_shorter_draw_is_a_prefix_of_a_longer_one(@ForAll @IntRange(max = 40) int length) {
        assertThat(normals(KEY, length)).containsExactly(Arrays.copyOf(normals(KEY, 41), length));
    }

    @Test
    void memory_gets_the_same_numbers_as_an_array() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(77 * 4);
            KEY.normals(memory);
            assertThat(memory.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(normals(KEY, 77));
        }
    }

    @Test
    void memory_that_is_no_whole_number_of_floats_is_refused() {
        assertThatThrownBy(() -> KEY.normals(MemorySegment.ofArray(new byte[7])))
                .hasMessageContaining("bytes=7");
    }

    @Test
    void normals_have_the_moments_and_tails_of_the_standard_normal() {
        float[] rollouts = normals(KEY, 1_000_000);
        double[] moments = new double[5];
        int beyondTwo = 0;
        for (float rollout : rollouts) {
            for (int power = 1; power <= 4; power++) {
                moments[power] += Math.pow(rollout, power) / rollouts.length;
            }
            beyondTwo += Math.abs(rollout) > 2 ? 1 : 0;
        }
        assertThat(moments[1]).isCloseTo(0, within(0.005));
        assertThat(moments[2]).isCloseTo(1, within(0.007));
        assertThat(moments[3]).isCloseTo(0, within(0.02));
        assertThat(moments[4]).isCloseTo(3, within(0.05));
        assertThat(beyondTwo / 1e6).isCloseTo(0.0455, within(0.001));
    }

    @Test
    void neighbours_within_a_draw_are_uncorrelated() {
        float[] rollouts = normals(KEY, 400_000);
        for (int lag = 1; lag <= 4; lag++) {
            double correlation = 0;
            for (int i = lag; i < rollouts.length; i++) {
                correlation += (double) rollouts[i] * rollouts[i - lag] / rollouts.length;
            }
            assertThat(correlation).as("lag %d", lag).isCloseTo(0, within(0.008));
        }
    }

    @Test
    void every_component_of_the_key_changes_the_numbers() {
        Set<Integer> rollouts = new HashSet<>();
        rollouts.add(Arrays.hashCode(normals(KEY, 16)));
        rollouts.add(Arrays.hashCode(normals(RandomKey.of(43, Purpose.INITIAL_NOISE, 3, 5, 7), 16)));
        rollouts.add(Arrays.hashCode(normals(RandomKey.of(42L + (1L << 32), Purpose.INITIAL_NOISE, 3, 5, 7), 16)));
        rollouts.add(Arrays.hashCode(normals(RandomKey.of(42, Purpose.TRAINING_NOISE, 3, 5, 7), 16)));
        rollouts.add(Arrays.hashCode(normals(KEY.atStep(4), 16)));
        rollouts.add(Arrays.hashCode(normals(RandomKey.of(42, Purpose.INITIAL_NOISE, 3, 6, 7), 16)));
        rollouts.add(Arrays.hashCode(normals(RandomKey.of(42, Purpose.INITIAL_NOISE, 3, 5, 8), 16)));
        rollouts.add(Arrays.hashCode(normals(KEY.atOrdinal(1), 16)));
        assertThat(rollouts).hasSize(8);
    }

    @Property(tries = 200)
    void a_permutation_holds_every_number_once(@ForAll long seed, @ForAll @IntRange(max = 50) int size) {
        int[] order = RandomKey.of(seed, Purpose.TRAINING_SAMPLE_ORDER).permutation(size);
        assertThat(Arrays.stream(order).sorted().toArray())
                .containsExactly(java.util.stream.IntStream.range(0, size).toArray());
    }

    @Test
    void all_permutations_of_four_are_equally_likely() {
        int[] seen = new int[256];
        for (int step = 0; step < 24_000; step++) {
            int[] order = RandomKey.of(1, Purpose.TIMESTEPS).atStep(step).permutation(4);
            seen[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
        }
        int[] counts = Arrays.stream(seen).filter(count -> count > 0).toArray();
        assertThat(counts).hasSize(24);
        assertThat(Arrays.stream(counts)
                        .mapToDouble(count -> (count - 1000) * (count - 1000) / 1000.0)
                        .sum())
                .as("chi square with 23 degrees of freedom")
                .isLessThan(50);
    }

    @Test
    void whole_numbers_below_a_bound_are_uniform() {
        int[] counts = new int[7];
        for (int number : KEY.uniformInts(70_000, 7)) {
            counts[number]++;
        }
        for (int count : counts) {
            assertThat(count).isBetween(9_600, 10_400);
        }
        assertThat(KEY.uniformInt(7)).isEqualTo(KEY.uniformInts(3, 7)[0]);
    }

    @Test
    void components_out_of_range_are_refused_by_name() {
        assertThatThrownBy(() -> RandomKey.of(1, Purpose.PROMPTS, 0, 65_536, 0))
                .hasMessage("group=65536 is not in 0 to 65535");
        assertThatThrownBy(() -> KEY.atOrdinal(-1)).hasMessageContaining("ordinal=-1");
        assertThatThrownBy(() -> KEY.uniformInt(0)).hasMessageContaining("bound=0");
    }

    private static float[] normals(RandomKey key, int count) {
        float[] into = new float[count];
        key.normals(into);
        return into;
    }

    private static final int PINNED_NORMALS = -950064147;
    private static final int[] PINNED_PERMUTATION = {1, 5, 0, 4, 3, 2};
}
