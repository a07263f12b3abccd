package darkroom.actors.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Device;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SumTreeTest {
    private static final int LEAVES_MAX = 200;
    private static final int BLOCK_MAX = 256;

    private static <T> T sum(List<T> leaves, BinaryOperator<T> addition) {
        SumTree<T> tree = new SumTree<>(addition);
        leaves.forEach(tree::add);
        return tree.sum();
    }

    private static <T> T sumOfBlocks(List<T> leaves, int block, BinaryOperator<T> addition) {
        SumTree<T> tree = new SumTree<>(addition);
        for (int first = 0; first < leaves.size(); first += block) {
            tree.add(sum(leaves.subList(first, Math.min(first + block, leaves.size())), addition));
        }
        return tree.sum();
    }

    /** The definition, level by level. */
    private static <T> T plainly(List<T> leaves, BinaryOperator<T> addition) {
        List<T> level = leaves;
        while (level.size() > 1) {
            List<T> above = new ArrayList<>();
            for (int i = 0; i < level.size(); i += 2) {
                above.add(i + 1 < level.size() ? addition.apply(level.get(i), level.get(i + 1)) : level.get(i));
            }
            level = above;
        }
        return level.getFirst();
    }

    private static String bracketed(String left, String right) {
        return "(" + left + right + ")";
    }

    private static List<String> letters(int leaves) {
        return IntStream.range(0, leaves).mapToObj(leaf -> leaf + " ").toList();
    }

    @Test
    void eleven_leaves_are_added_as_neighbours_and_the_odd_ones_go_up() {
        assertThat(sum(List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"), SumTreeTest::bracketed))
                .isEqualTo("((((ab)(cd))((ef)(gh)))((ij)k))");
    }

    /** TR-1, TR-2: the brackets are the same, so any sum has the same bits. */
    @Test
    void the_tree_of_block_sums_is_the_tree_of_the_leaves_for_every_number_of_leaves_and_every_block() {
        for (int leaves = 1; leaves <= LEAVES_MAX; leaves++) {
            List<String> all = letters(leaves);
            String expected = plainly(all, SumTreeTest::bracketed);
            assertThat(sum(all, SumTreeTest::bracketed)).as("TR-1").isEqualTo(expected);
            for (int block = 1; block <= BLOCK_MAX; block *= 2) {
                assertThat(sumOfBlocks(all, block, SumTreeTest::bracketed))
                        .as("TR-2: %d leaves in blocks of %d", leaves, block)
                        .isEqualTo(expected);
            }
        }
    }

    /** TR-2 needs powers of two. */
    @Test
    void blocks_of_three_make_another_tree() {
        assertThat(sumOfBlocks(letters(6), 3, SumTreeTest::bracketed))
                .isNotEqualTo(sum(letters(6), SumTreeTest::bracketed));
    }

    /** TR-2. */
    @Property
    void floats_of_any_size_have_the_same_sum_bit_for_bit_in_any_blocks(
            @ForAll @Size(min = 1, max = LEAVES_MAX) List<Float> leaves, @ForAll @IntRange(max = 8) int exponent) {
        int expected = Float.floatToRawIntBits(plainly(leaves, Float::sum));
        assertThat(Float.floatToRawIntBits(sumOfBlocks(leaves, 1 << exponent, Float::sum)))
                .isEqualTo(expected);
    }

    /** TR-3. */
    @Test
    void no_more_sums_are_held_than_the_number_of_leaves_has_bits() {
        int[] held = {0};
        SumTree<Integer> tree = new SumTree<>((left, right) -> {
            held[0]--;
            return left + right;
        });
        for (int leaves = 1; leaves <= 1000; leaves++) {
            held[0]++;
            assertThat(held[0]).isLessThanOrEqualTo(1 + (31 - Integer.numberOfLeadingZeros(leaves)));
            tree.add(1);
        }
        assertThat(tree.sum()).isEqualTo(1000);
        assertThat(held[0]).isEqualTo(1);
    }

    /** TR-2, on the devices of simulated runs. */
    @Property(tries = 100)
    void simulated_devices_make_the_same_bits_in_any_blocks(
            @ForAll @IntRange(min = 1, max = 40) int leaves, @ForAll long seed) {
        OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 22);
        SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
        LearnerState state = devices.learner(seed);
        Prompt prompt = devices.prompt("row");
        RolloutUnit rollout = new RolloutUnit(
                "run", seed, RolloutUnit.Purpose.TRAINING, 0, 0, leaves, new PolicyVersion(0), state.old(), prompt);
        RolloutResult generated =
                devices.rollout().perform(rollout).toCompletableFuture().join();
        List<List<TrainUnit.Sample>> units = IntStream.range(0, leaves)
                .mapToObj(slot ->
                        new TrainingSample(0, slot, prompt, generated.images().get(slot), slot / 40.0, 0))
                .map(trainingSample -> List.of(new TrainUnit.Sample(trainingSample, 1)))
                .toList();
        List<List<Byte>> expected = learned(store, devices, state, units, 1);
        for (int block = 2; block <= 64; block *= 2) {
            assertThat(learned(store, devices, state, units, block))
                    .as("%d leaves in blocks of %d", leaves, block)
                    .isEqualTo(expected);
        }
    }

    private static List<List<Byte>> learned(
            OffHeapTensorStore store,
            SimulatedDevices devices,
            LearnerState state,
            List<List<TrainUnit.Sample>> units,
            int block) {
        Device<TrainUnit, Trained> trainer = devices.trainer();
        List<TensorRef> gradients = new ArrayList<>();
        for (int first = 0; first < units.size(); first += block) {
            List<List<TrainUnit.Sample>> own = units.subList(first, Math.min(first + block, units.size()));
            gradients.addAll(
                    trainer.perform(new TrainUnit.GradientBlock("run", 7, 0, 0, first, state, own, units.size()))
                            .toCompletableFuture()
                            .join()
                            .tensors());
        }
        Trained updated = trainer.perform(new TrainUnit.UpdateUnit("run", 0, 0, state, gradients, true))
                .toCompletableFuture()
                .join();
        return updated.tensors().stream()
                .map(ref -> {
                    List<Byte> bytes = new ArrayList<>();
                    for (byte value : store.read(ref).toArray(ValueLayout.JAVA_BYTE)) {
                        bytes.add(value);
                    }
                    return bytes;
                })
                .toList();
    }
}
