package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Prompt;
import darkroom.actors.numeric.RandomKey;
import darkroom.actors.statistics.PromptBan;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.InputLine;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import darkroom.tensors.OffHeapTensorStore;
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

    /** Rows with different weights. */
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

    private static List<Integer> generated(Rows rows, int steps, int groups) {
        List<Integer> generated = new ArrayList<>();
        try (OffHeapTensorStore store = new OffHeapTensorStore("local", 1 << 20)) {
            RowPrompts prompts = new RowPrompts(rows, SEED, groups, new OpenPrompts(store));
            for (int step = 0; step < steps; step++) {
                List<Prompt> ofStep = prompts.prompts(step, PromptBan.NONE);
                ofStep.forEach(prompt -> generated.add(Integer.valueOf(prompt.row())));
                prompts.release(ofStep);
            }
        }
        return generated;
    }

    /** Promise P-7: a run that began without weights keeps its order of rows. */
    @Test
    void rows_of_equal_weights_are_drawn_in_the_order_of_the_permutation() {
        int[] order = RandomKey.of(SEED, RandomKey.Purpose.PROMPTS).atStep(0).permutation(8);
        List<Integer> expected = IntStream.of(order).limit(3).boxed().toList();
        assertThat(generated(weighted(1, 1, 1, 1, 1, 1, 1, 1), 1, 3)).isEqualTo(expected);
        assertThat(generated(weighted(7, 7, 7, 7, 7, 7, 7, 7), 1, 3)).isEqualTo(expected);
    }

    @Test
    void a_row_is_drawn_in_proportion_to_its_weight() {
        List<Integer> generated = generated(weighted(9, 1, 1, 1, 1, 1, 1, 1, 1, 1), 2000, 1);
        double share = generated.stream().filter(row -> row == 0).count() / 2000.0;
        assertThat(share).isBetween(0.47, 0.53); // 9 of 18; standard deviation 0.011
        assertThat(generated).isEqualTo(generated(weighted(9, 1, 1, 1, 1, 1, 1, 1, 1, 1), 2000, 1));
    }

    @Test
    void a_step_draws_a_row_once_whatever_its_weight() {
        List<Integer> generated = generated(weighted(1000, 0.001, 1), 50, 3);
        for (int step = 0; step < 50; step++) {
            assertThat(generated.subList(3 * step, 3 * step + 3)).containsExactlyInAnyOrder(0, 1, 2);
        }
    }
}
