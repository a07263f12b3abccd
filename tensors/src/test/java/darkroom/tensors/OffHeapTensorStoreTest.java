package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OffHeapTensorStoreTest {
    private static final long BYTES_MAX = 4096;

    private final OffHeapTensorStore store = new OffHeapTensorStore("here", BYTES_MAX);

    @AfterEach
    void closed() {
        store.close();
    }

    private static TensorRef put(TensorStore store, int bytes, int value) {
        return store.put(TensorRef.ElementType.UINT8, List.of(bytes), to -> to.fill((byte) value));
    }

    /** TS-1, P-6. */
    @Test
    void what_was_released_or_never_was_or_lives_elsewhere_is_lost() {
        TensorRef ref = put(store, 100, 7);
        assertThat(store.read(ref).get(ValueLayout.JAVA_BYTE, 99)).isEqualTo((byte) 7);
        TensorRef elsewhere = new TensorRef(ref.id(), "there", ref.type(), ref.shape(), ref.checksum());
        TensorRef never = new TensorRef(99, "here", ref.type(), ref.shape(), ref.checksum());
        TensorRef longer = new TensorRef(ref.id(), "here", ref.type(), List.of(1000), ref.checksum());
        for (TensorRef wrong : List.of(elsewhere, never, longer)) {
            assertThatThrownBy(() -> store.read(wrong)).isInstanceOf(TensorLostException.class);
        }
        store.release(elsewhere);
        assertThat(store.tensorsHeld()).isEqualTo(1);
        store.release(ref);
        assertThatThrownBy(() -> store.read(ref)).isInstanceOf(TensorLostException.class);
    }

    /** TS-1, P-6: a reader detects bytes that differ from the sealed ones. */
    @Test
    void bytes_that_changed_are_lost() {
        List<MemorySegment> kept = new ArrayList<>();
        TensorRef ref = store.put(TensorRef.ElementType.UINT8, List.of(100), bytes -> {
            bytes.fill((byte) 7);
            kept.add(bytes);
        });
        kept.getFirst().set(ValueLayout.JAVA_BYTE, 50, (byte) 8);
        assertThatThrownBy(() -> store.read(ref))
                .isInstanceOf(TensorLostException.class)
                .hasMessageContaining("checksum");
    }

    @Test
    void a_sealed_tensor_is_read_only() {
        TensorRef ref = put(store, 100, 7);
        assertThat(store.read(ref).isReadOnly()).isTrue();
    }

    /** TS-3. */
    @Test
    void a_filler_that_throws_leaves_nothing() {
        assertThatThrownBy(() -> store.put(TensorRef.ElementType.UINT8, List.of(100), _ -> {
                    throw new IllegalStateException("no pixels");
                }))
                .hasMessage("no pixels");
        assertThat(store.tensorsHeld()).isZero();
        assertThat(store.bytesHeld()).isZero();
    }

    /** TS-2, P-9: a full store is reported. */
    @Test
    void a_full_store_says_so_and_has_room_again_after_a_release() {
        TensorRef most = put(store, 4000, 1);
        assertThatThrownBy(() -> put(store, 200, 2)).isInstanceOf(TensorStoreFullException.class);
        store.release(most);
        assertThat(store.read(put(store, 200, 2)).byteSize()).isEqualTo(200);
    }

    /** TS-1, TS-2, TS-4: any history of puts and releases, compared with a map. */
    @Property(tries = 300)
    void the_store_holds_what_was_put_and_not_released_and_never_more_than_its_budget(
            @ForAll @Size(max = 80) List<@IntRange(min = -20, max = 900) Integer> history) {
        try (OffHeapTensorStore any = new OffHeapTensorStore("here", BYTES_MAX)) {
            Map<TensorRef, Integer> expected = new HashMap<>();
            List<TensorRef> all = new ArrayList<>();
            for (int i = 0; i < history.size(); i++) {
                int next = history.get(i);
                if (next > 0) {
                    try {
                        TensorRef ref = put(any, next, i);
                        expected.put(ref, i);
                        all.add(ref);
                    } catch (TensorStoreFullException full) {
                        assertThat(any.bytesHeld() + next + 64).isGreaterThan(BYTES_MAX - 64);
                    }
                } else if (!all.isEmpty()) {
                    TensorRef ref = all.get(-next % all.size());
                    any.release(ref);
                    any.release(ref);
                    expected.remove(ref);
                }
                assertThat(any.bytesMapped()).isLessThanOrEqualTo(BYTES_MAX);
                assertThat(any.bytesHeld()).isLessThanOrEqualTo(any.bytesMapped());
                assertThat(any.tensorsHeld()).isEqualTo(expected.size());
            }
            expected.forEach((ref, value) ->
                    assertThat(any.read(ref).toArray(ValueLayout.JAVA_BYTE)).containsOnly(value.byteValue()));
            expected.keySet().forEach(any::release);
            assertThat(any.bytesHeld()).isZero();
        }
    }

    /** The most recently used memory is in the processor's cache, and mapped by others. */
    @Test
    void memory_that_was_used_longest_ago_is_given_back_first() {
        List<TensorRef> all = List.of(put(store, 1024, 1), put(store, 1024, 2), put(store, 1024, 3));
        List<Long> addresses =
                all.stream().map(ref -> store.read(ref).address()).toList();
        all.forEach(store::release);
        TensorRef large = put(store, 2048, 4); // two of the three must be evicted
        assertThat(store.read(put(store, 1024, 5)).address()).isEqualTo(addresses.get(2));
        store.release(large);
    }

    @Test
    void of_two_sizes_the_one_that_was_used_longest_ago_is_given_back_first() {
        TensorRef old = put(store, 1024, 1);
        TensorRef young = put(store, 512, 2);
        store.release(old);
        long address = store.read(young).address();
        store.release(young);
        TensorRef large = put(store, 3072, 3);
        assertThat(store.read(put(store, 512, 4)).address()).isEqualTo(address);
        store.release(large);
    }

    @Test
    void threads_that_put_and_release_leave_nothing_behind() throws Exception {
        OffHeapTensorStore shared = new OffHeapTensorStore("here", 1 << 16);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                int value = thread;
                all.add(threads.submit(() -> {
                    for (int i = 0; i < 500; i++) {
                        TensorRef ref = put(shared, 64 + 64 * (i % 5), value);
                        assertThat(shared.read(ref).toArray(ValueLayout.JAVA_BYTE))
                                .containsOnly(value);
                        shared.release(ref);
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
        assertThat(shared.bytesHeld()).isZero();
        assertThat(shared.bytesMapped()).isLessThanOrEqualTo(1 << 16);
        shared.close();
        assertThat(shared.bytesMapped()).isZero();
    }
}
