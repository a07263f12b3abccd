package darkroom.actors;

import static darkroom.actors.PlaneFleet.answer;
import static darkroom.actors.PlaneFleet.bytes;
import static darkroom.actors.PlaneFleet.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.PlaneFrame.TensorKey;
import darkroom.actors.TensorPlaneSettings.Transport;
import darkroom.actors.TensorWindows.Sight;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Between nodes that are processes of one machine as far as they know. */
class TensorWindowTest {
    private static final int SMALL = 64 << 10;
    private static final int LARGE = (5 << 20) + 3;

    private static UnaryOperator<TensorPlaneSettings> shown(Transport transport) {
        return settings ->
                TensorPlaneSettings.defaults(settings.replicaBytesMax()).over(transport);
    }

    /** TP-12: with one driver or two, on the caller's thread or the plane's. */
    @ParameterizedTest
    @ValueSource(ints = {SMALL, LARGE})
    void a_tensor_of_another_process_is_read_where_it_lies_without_a_message(int size) {
        for (Transport transport : List.of(Transport.IPC, Transport.AUTO)) {
            try (PlaneFleet fleet = PlaneFleet.of(shown(transport), "home", "here")) {
                TensorRef ref = fleet.put("home", size, 1);
                fleet.bring("here", ref);
                assertThat(fleet.read("here", ref)).isEqualTo(bytes(size, 1));
                until("it is counted", () -> fleet.plane("here").stats().bytesIn() == size);
                assertThat(fleet.plane("home").stats().bytesOut()).isZero();
            }
        }
    }

    /** TP-8, TP-12: what was taken over is shown in its turn; a release reaches the home as ever. */
    @Test
    void what_was_adopted_is_shown_by_the_node_that_owns_it_now() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here", "third")) {
            TensorRef ref = fleet.put("home", SMALL, 2);
            TensorRef mine = answer(fleet.plane("here").adopt(List.of(ref))).getFirst();
            until("the original is released", () -> fleet.store("home").tensorsHeld() == 0);
            fleet.bring("third", mine);
            assertThat(fleet.read("third", mine)).isEqualTo(bytes(SMALL, 2));
            assertThat(fleet.plane("here").stats().bytesOut()).isZero();
            fleet.plane("here").store().release(mine);
        }
    }

    /** TP-12: what a reader has seen of it does not count. */
    @ParameterizedTest
    @ValueSource(ints = {SMALL, LARGE})
    void a_tensor_that_is_released_while_it_is_read_is_lost(int size) {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef ref = fleet.put("home", size, 3);
            assertThatThrownBy(() -> answer(fleet.plane("here").readInPlace(ref, (offset, _, _, _) -> {
                        if (offset == 0) {
                            fleet.plane("home").store().release(ref);
                        }
                    })))
                    .isInstanceOf(TensorLostException.class)
                    .hasMessageContaining("released by home while it was read");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {SMALL, LARGE})
    void a_reader_that_throws_fails_its_own_stage_and_nothing_else(int size) {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef ref = fleet.put("home", size, 4);
            assertThatThrownBy(() -> answer(fleet.plane("here").readInPlace(ref, (_, _, _, _) -> {
                        throw new IllegalStateException("no more");
                    })))
                    .hasMessage("no more");
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(bytes(size, 4));
        }
    }

    /** TP-1, TP-12: wrong bytes in the window itself are asked for by a message, and found wrong there, too. */
    @ParameterizedTest
    @ValueSource(ints = {SMALL, LARGE})
    void bytes_that_have_changed_in_a_window_are_not_delivered(int size) {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef ref = fleet.put("home", size, 5);
            spoil(fleet.store("home"), ref);
            assertThatThrownBy(() -> fleet.bring("here", ref))
                    .isInstanceOfAny(TensorLostException.class, TensorTransferException.class);
        }
    }

    private static void spoil(OffHeapTensorStore store, TensorRef ref) {
        OffHeapTensorStore.Room room =
                store.pinned(ref.id(), ref.checksum(), ref.bytes()).orElseThrow();
        MemorySegment first = room.memory(1);
        first.set(ValueLayout.JAVA_BYTE, 0, (byte) (first.get(ValueLayout.JAVA_BYTE, 0) + 1));
        room.unpin();
    }

    /** TP-8, TP-12: in the call itself; what is wanted twice is taken once, and what is here already stays what it is. */
    @Test
    void small_tensors_are_adopted_without_a_message_and_without_waiting() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef far = fleet.put("home", SMALL, 8);
            TensorRef near = fleet.put("here", 500, 9);
            TensorRef none = fleet.put("home", 0, 10);
            fleet.bring("here", none); // the roster is known, and with it the window
            CompletionStage<List<TensorRef>> adoption = fleet.plane("here").adopt(List.of(far, near, none, far));
            assertThat(adoption.toCompletableFuture()).isCompleted();
            List<TensorRef> adopted = answer(adoption);
            assertThat(adopted).hasSize(4).allMatch(ref -> ref.home().equals("here"));
            assertThat(adopted.get(1)).isEqualTo(near);
            assertThat(adopted.get(3)).isEqualTo(adopted.get(0));
            assertThat(fleet.read("here", adopted.get(0))).isEqualTo(bytes(SMALL, 8));
            until("the originals are released", () -> fleet.store("home").tensorsHeld() == 0);
            assertThat(fleet.plane("home").stats().bytesOut()).isZero();
            assertThat(fleet.plane("here").stats().bytesIn()).isEqualTo(SMALL);
            adopted.forEach(fleet.plane("here").store()::release);
            assertThat(fleet.store("here").bytesHeld()).isZero();
            assertThat(fleet.store("here").bytesLent()).isZero();
        }
    }

    /** TP-1, TP-8: nor is what was read before the wrong one. */
    @Test
    void of_small_tensors_of_which_one_is_wrong_none_is_adopted() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef right = fleet.put("home", SMALL, 11);
            TensorRef wrong = fleet.put("home", SMALL, 12);
            spoil(fleet.store("home"), wrong);
            assertThatThrownBy(() -> answer(fleet.plane("here").adopt(List.of(right, wrong))))
                    .isInstanceOfAny(TensorLostException.class, TensorTransferException.class);
            assertThat(fleet.store("here").tensorsHeld()).isZero();
            assertThat(fleet.plane("here").stats().releases()).isZero();
            assertThat(fleet.read("home", right)).isEqualTo(bytes(SMALL, 11));
        }
    }

    @Test
    void while_messages_have_a_fate_everything_goes_by_messages() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            fleet.plane("here").weather((_, _) -> PlaneWeather.Fate.DELIVERED);
            fleet.bring("here", fleet.put("home", SMALL, 6));
            until("it is counted", () -> fleet.plane("home").stats().bytesOut() == SMALL);
            fleet.plane("here").weather(PlaneWeather.CALM);
            fleet.bring("here", fleet.put("home", SMALL, 7));
            assertThat(fleet.plane("home").stats().bytesOut()).isEqualTo(SMALL);
        }
    }

    /** TP-13: the home's directory is there by its name, and what stands in it is another node's. */
    @Test
    void a_window_without_the_token_of_its_node_is_not_looked_through() throws IOException {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO))) {
            PlanePeer home = fleet.join("home", shown(Transport.AUTO)).peer();
            fleet.join("here", shown(Transport.AUTO));
            fleet.knows("home", fleet.plane("here").peer());
            fleet.knows("here", new PlanePeer("home", home.host(), "", home.window(), Token.create(), home.address()));
            TensorRef ref = fleet.put("home", SMALL, 8);
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(bytes(SMALL, 8));
            until("it is counted", () -> fleet.plane("home").stats().bytesOut() == SMALL);
        }
    }

    @Test
    void without_a_window_tensors_go_by_messages() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO))) {
            PlanePeer home = fleet.join("home", shown(Transport.AUTO)).peer();
            fleet.join("here", shown(Transport.AUTO));
            fleet.knows("home", fleet.plane("here").peer());
            fleet.knows("here", new PlanePeer("home", home.host(), "", "/nowhere", home.windowToken(), home.address()));
            TensorRef ref = fleet.put("home", SMALL, 8);
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(bytes(SMALL, 8));
            until("it is counted", () -> fleet.plane("home").stats().bytesOut() == SMALL);
        }
    }

    @Test
    void nobody_else_can_read_a_window_and_it_goes_with_its_node(@TempDir Path memory) throws IOException {
        TensorWindow window = opened(memory);
        assertThat(Files.getPosixFilePermissions(window.directory()))
                .isEqualTo(Set.of(
                        PosixFilePermission.OWNER_READ,
                        PosixFilePermission.OWNER_WRITE,
                        PosixFilePermission.OWNER_EXECUTE));
        assertThat(window.pane(SMALL)).isPresent();
        window.close();
        assertThat(memory).isEmptyDirectory();
    }

    @Test
    void what_a_dead_process_has_left_is_removed_and_what_a_living_one_has_is_not(@TempDir Path memory)
            throws IOException {
        Path left = Files.createDirectory(memory.resolve("darkroom-window-1-000000000000"));
        Files.createFile(memory.resolve("darkroom-window-1-000000000000.lock"));
        Files.createFile(left.resolve("pane-1"));
        TensorWindow living = opened(memory);
        assertThat(left).doesNotExist();
        TensorWindow third = opened(memory);
        assertThat(living.directory()).exists();
        third.close();
        living.close();
        assertThat(memory).isEmptyDirectory();
    }

    @Test
    void tensors_leave_shared_memory_to_messages(@TempDir Path memory) throws IOException {
        long free = Files.getFileStore(memory).getUsableSpace();
        try (TensorWindow window =
                TensorWindow.open(memory, free + (1L << 40), false).orElseThrow()) {
            assertThat(window.pane(SMALL)).isEmpty();
            try (Stream<Path> files = Files.list(window.directory())) {
                assertThat(files.map(file -> file.getFileName().toString())).containsExactly(TensorWindow.INDEX);
            }
        }
    }

    private static TensorWindow opened(Path memory) {
        return TensorWindow.open(memory, 0, false).orElseThrow();
    }

    private static PlanePeer home(TensorWindow window) {
        return new PlanePeer("home", "", "", window.directory().toString(), window.token(), "");
    }

    @Test
    void a_pane_that_nobody_looks_through_is_let_go_and_mapped_again_when_it_is_needed(@TempDir Path memory) {
        AtomicLong nowNs = new AtomicLong();
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 20);
        TensorWindow window = opened(memory);
        store.show(window);
        TensorKey key = TensorKey.of(put(store, SMALL, 9));
        try (TensorWindows windows = new TensorWindows(nowNs::get)) {
            windows.open(home(window));
            Sight kept = windows.of(key).orElseThrow();
            nowNs.addAndGet(60_000_000_000L);
            windows.tick();
            Sight again = windows.of(key).orElseThrow();
            assertThat(again.bytes().address()).isNotEqualTo(kept.bytes().address());
            assertThat(kept.bytes().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo(bytes(1, 9)[0]);
            kept.close();
            assertThatThrownBy(() -> kept.bytes().get(ValueLayout.JAVA_BYTE, 0))
                    .isInstanceOf(IllegalStateException.class);
            again.close();
        }
        store.close();
        assertThat(store.bytesMapped()).isZero();
        window.close();
    }

    /** A window that is shut while a pane of it is being mapped. */
    @Test
    void what_is_mapped_while_its_node_leaves_is_let_go(@TempDir Path memory) throws IOException {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 20);
        TensorWindow window = opened(memory);
        store.show(window);
        TensorKey key = TensorKey.of(put(store, SMALL, 9));
        AtomicReference<Runnable> whileMapping = new AtomicReference<>(() -> {});
        TensorWindows windows = new TensorWindows(() -> {
            whileMapping.getAndSet(() -> {}).run();
            return 0;
        });
        windows.open(home(window));
        whileMapping.set(() -> answer(CompletableFuture.runAsync(() -> windows.shut(key.home()))));
        windows.of(key).ifPresent(Sight::close);
        assertThat(Files.readString(Path.of("/proc/self/maps"))
                        .lines()
                        .filter(line -> line.contains(window.directory() + "/pane-") && line.contains("r--s")))
                .isEmpty();
        windows.close();
        store.close();
        window.close();
    }

    /** TS-5: a place in the index that a living tensor has is not given to another one. */
    @Test
    void two_tensors_of_one_place_are_never_taken_for_each_other(@TempDir Path memory) {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 24);
        TensorWindow window = opened(memory);
        store.show(window);
        try (TensorWindows windows = new TensorWindows(SystemNanoClock.INSTANCE)) {
            windows.open(home(window));
            TensorRef first = put(store, 100, 1);
            for (int i = 1; i < TensorWindow.SLOTS; i++) {
                store.release(put(store, 100, 2));
            }
            TensorRef other = put(store, 100, 3);
            assertThat(TensorWindow.slot(other.id())).isEqualTo(TensorWindow.slot(first.id()));
            assertThat(windows.of(TensorKey.of(other))).isEmpty();
            Sight sight = windows.of(TensorKey.of(first)).orElseThrow();
            store.release(other);
            assertThat(sight.still()).isTrue();
            store.release(first);
            assertThat(sight.still()).isFalse();
            assertThat(windows.of(TensorKey.of(first))).isEmpty();
            sight.close();
        }
        store.close();
        window.close();
    }

    /** TP-12, TS-5: while the home releases and fills the same memory over and over. */
    @Test
    void what_was_shown_to_the_last_byte_is_what_the_reference_says(@TempDir Path memory) {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 22);
        TensorWindow window = opened(memory);
        store.show(window);
        AtomicReference<TensorRef> newest = new AtomicReference<>(put(store, SMALL, 0));
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> home = CompletableFuture.runAsync(() -> {
            for (int seed = 1; !done.get(); seed++) {
                TensorRef before = newest.get();
                newest.set(put(store, SMALL, seed));
                store.release(before);
            }
        });
        int whole = 0;
        int torn = 0;
        try (TensorWindows windows = new TensorWindows(SystemNanoClock.INSTANCE)) {
            windows.open(home(window));
            long begun = System.nanoTime();
            while (whole < 2_000 && System.nanoTime() - begun < 20_000_000_000L) {
                TensorRef ref = newest.get();
                Optional<Sight> sight = windows.of(TensorKey.of(ref));
                if (sight.isEmpty()) {
                    continue;
                }
                try (Sight at = sight.get()) {
                    for (int spin = ThreadLocalRandom.current().nextInt(2_000); spin > 0; spin--) {
                        Thread.onSpinWait();
                    }
                    long checksum = OffHeapTensorStore.checksum(at.bytes());
                    if (at.still()) {
                        assertThat(checksum).isEqualTo(ref.checksum());
                        whole++;
                    } else {
                        torn++;
                    }
                }
            }
        } finally {
            done.set(true);
            home.join();
        }
        assertThat(whole).isPositive();
        assertThat(torn).isPositive();
        store.close();
        window.close();
    }

    /** TP-12: a file for each of a thousand small ones would be too many. */
    @Test
    void small_tensors_share_panes_and_each_is_read_as_its_own(@TempDir Path memory) throws IOException {
        try (OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 22);
                TensorWindow window = opened(memory);
                TensorWindows windows = new TensorWindows(SystemNanoClock.INSTANCE)) {
            store.show(window);
            windows.open(home(window));
            List<TensorRef> all = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                all.add(put(store, 600 + i % 2, i));
            }
            try (Stream<Path> files = Files.list(window.directory())) {
                assertThat(files).hasSizeLessThan(1000 / 50);
            }
            for (int i = 0; i < 1000; i++) {
                try (Sight sight = windows.of(TensorKey.of(all.get(i))).orElseThrow()) {
                    assertThat(sight.bytes().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes(600 + i % 2, i));
                }
            }
        }
    }

    /** TS-2, TS-5: shared memory goes back once all who share it are gone, and not before. */
    @Test
    void panes_of_small_tensors_are_given_back_when_the_budget_needs_them(@TempDir Path memory) {
        int budget = 1 << 20;
        try (OffHeapTensorStore store = new OffHeapTensorStore("home", budget);
                TensorWindow window = opened(memory)) {
            store.show(window);
            List<TensorRef> all = new ArrayList<>();
            for (int i = 0; i < budget / SMALL - 1; i++) {
                all.add(put(store, SMALL, i));
            }
            TensorRef kept = all.removeFirst();
            all.forEach(store::release);
            assertThatThrownBy(() -> put(store, budget - SMALL, 1)).isInstanceOf(TensorStoreFullException.class);
            TensorRef half = put(store, budget / 4, 1);
            assertThat(store.bytesMapped()).isLessThanOrEqualTo(budget);
            assertThat(store.read(kept).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes(SMALL, 0));
            store.release(kept);
            store.release(half);
            TensorRef whole = put(store, budget, 2);
            assertThat(store.read(whole).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes(budget, 2));
            assertThat(store.bytesMapped()).isEqualTo(budget);
            try (TensorWindows windows = new TensorWindows(SystemNanoClock.INSTANCE)) {
                windows.open(home(window));
                assertThat(windows.of(TensorKey.of(whole)))
                        .as("memory that was given back for it lies in the window again")
                        .hasValueSatisfying(Sight::close);
            }
        }
    }

    private static TensorRef put(OffHeapTensorStore store, int size, long seed) {
        return store.put(TensorRef.ElementType.UINT8, List.of(size), to -> PlaneFleet.fill(to, seed));
    }
}
