package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A resource that a node opens for a control node is closed when another one replaces it. */
class ReplaceableTest {
    private final List<String> closed = new ArrayList<>();

    private AutoCloseable open(String name) {
        return () -> closed.add(name);
    }

    @Test
    void what_is_replaced_is_closed_and_the_last_one_at_the_end() {
        Replaceable<AutoCloseable> one = new Replaceable<>();
        AutoCloseable second = open("second");
        one.replace(open("first"));
        one.replace(second);
        assertThat(closed).containsExactly("first");
        assertThat(one.now()).containsSame(second);
        one.close();
        one.close();
        assertThat(closed).containsExactly("first", "second");
        assertThat(one.now()).isEmpty();
    }

    @Test
    void what_comes_after_the_end_is_closed_at_once() {
        Replaceable<AutoCloseable> one = new Replaceable<>();
        one.close();
        one.replace(open("late"));
        assertThat(closed).containsExactly("late");
        assertThat(one.now()).isEmpty();
    }

    @Test
    void one_that_fails_to_close_does_not_keep_the_next() {
        Replaceable<AutoCloseable> one = new Replaceable<>();
        AutoCloseable next = open("next");
        one.replace(() -> {
            throw new IllegalStateException("it is stuck");
        });
        one.replace(next);
        assertThat(one.now()).containsSame(next);
    }
}
