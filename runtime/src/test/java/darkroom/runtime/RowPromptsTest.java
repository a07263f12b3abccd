package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.Prompt;
import darkroom.actors.PromptBan;
import darkroom.actors.RandomKey;
import darkroom.edittasks.RgbImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RowPromptsTest {
    private static final long SEED = 5;

    private static Rows weighted(double... weights) {
        return new Weighted(Arrays.stream(weights).boxed().toList());
    }

    /** Rows that differ in their weights. */
    private record Weighted(List<Double> weights) implements Rows {
        @Override
        public int size() {
            return weights.size();
        }

        @Override
        public Row row(int index) {
            return new Row("" + index, "unknown", "p", "", RgbImage.of(1, 1, new byte[3]), null, null);
        }

        @Override
        public double weight(int index) {
            return weights.get(index);
        }

        @Override
        public String digest() {
            return "";
        }

        @Override
        public void inputs(String input, Consumer<InputLine> each) {}
    }

    private static List<Integer> drawn(Rows rows, int steps, int groups) {
        List<Integer> drawn = new ArrayList<>();
        try (OffHeapTensorStore store = new OffHeapTensorStore("local", 1 << 20)) {
            RowPrompts prompts = new RowPrompts(rows, SEED, groups, new OpenPrompts(store));
            for (int step = 0; step < steps; step++) {
                List<Prompt> ofStep = prompts.prompts(step, PromptBan.NONE);
                ofStep.forEach(prompt -> drawn.add(Integer.valueOf(prompt.row())));
                prompts.release(ofStep);
            }
        }
        return drawn;
    }

    /** Promise P-7: a run that was begun without weights draws what it drew. */
    @Test
    void rows_of_equal_weights_are_drawn_in_the_order_of_the_permutation() {
        int[] order = RandomKey.of(SEED, RandomKey.Purpose.PROMPTS).atStep(0).permutation(8);
        List<Integer> expected = IntStream.of(order).limit(3).boxed().toList();
        assertThat(drawn(weighted(1, 1, 1, 1, 1, 1, 1, 1), 1, 3)).isEqualTo(expected);
        assertThat(drawn(weighted(7, 7, 7, 7, 7, 7, 7, 7), 1, 3)).isEqualTo(expected);
    }

    @Test
    void a_row_is_drawn_in_proportion_to_its_weight() {
        List<Integer> drawn = drawn(weighted(9, 1, 1, 1, 1, 1, 1, 1, 1, 1), 2000, 1);
        double share = drawn.stream().filter(row -> row == 0).count() / 2000.0;
        assertThat(share).isBetween(0.47, 0.53); // 9 of 18; standard deviation 0.011
        assertThat(drawn).isEqualTo(drawn(weighted(9, 1, 1, 1, 1, 1, 1, 1, 1, 1), 2000, 1));
    }

    @Test
    void a_step_draws_a_row_once_whatever_its_weight() {
        List<Integer> drawn = drawn(weighted(1000, 0.001, 1), 50, 3);
        for (int step = 0; step < 50; step++) {
            assertThat(drawn.subList(3 * step, 3 * step + 3)).containsExactlyInAnyOrder(0, 1, 2);
        }
    }
}
