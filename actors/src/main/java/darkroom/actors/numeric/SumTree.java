package darkroom.actors.numeric;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.BinaryOperator;

/**
 * Adds values along the binary tree that is determined by the number of leaves: neighbours, then neighbours of the sums,
 * until one is left; a last one without a neighbour moves up unchanged. Floating-point addition is not associative, so the
 * tree determines the bits.
 *
 * <ul>
 *   <li><b>TR-1</b> Only the order of the leaves determines which additions are made.
 *   <li><b>TR-2</b> The leaves may be cut into blocks of a power of two, the last one shorter: the sums of the blocks,
 *       added in order, are the sum of the leaves, bit for bit.
 *   <li><b>TR-3</b> Of n leaves at most 1 + log2 n sums are held at a time, the newest leaf included.
 * </ul>
 *
 * @param <T> type of the values
 */
public final class SumTree<T> {
    private record Subtree<T>(long leaves, T sum) {}

    private final BinaryOperator<T> addition;
    private final Deque<Subtree<T>> whole = new ArrayDeque<>();

    /**
     * @param addition gets the left operand first, and each operand once: it may consume them
     */
    public SumTree(BinaryOperator<T> addition) {
        this.addition = addition;
    }

    /** Adds the next leaf. */
    public void add(T leaf) {
        Subtree<T> last = new Subtree<>(1, leaf);
        while (!whole.isEmpty() && whole.peek().leaves() == last.leaves()) { // TR-3
            Subtree<T> left = whole.pop();
            last = new Subtree<>(2 * left.leaves(), addition.apply(left.sum(), last.sum()));
        }
        whole.push(last);
    }

    /**
     * Returns the sum of all leaves. The tree must not be used afterwards.
     *
     * @throws java.util.NoSuchElementException if no leaf was added
     */
    public T sum() {
        Iterator<Subtree<T>> fromTheRight = whole.iterator();
        T sum = fromTheRight.next().sum();
        while (fromTheRight.hasNext()) {
            sum = addition.apply(fromTheRight.next().sum(), sum);
        }
        return sum;
    }
}
