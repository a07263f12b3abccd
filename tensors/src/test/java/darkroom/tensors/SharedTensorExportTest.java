package darkroom.tensors;

import static darkroom.tensors.PlaneFleet.answer;
import static darkroom.tensors.PlaneFleet.bytes;
import static darkroom.tensors.PlaneFleet.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.SharedTensorExports.SharedRead;
import darkroom.tensors.TensorPlaneSettings.Transport;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

/** Nodes that act as processes of one machine. */
class SharedTensorExportTest {
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

    /** TP-8, TP-12: adopted tensors are exported in turn; a release still reaches the home. */
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

    /** TP-12: bytes that were taken before the release do not count, even if they are the right ones. */
    @ParameterizedTest
    @ValueSource(ints = {SMALL, LARGE})
    void a_tensor_that_is_released_while_it_is_read_was_not_read(int size) {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here");
                SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE);
                Arena arena = Arena.ofConfined()) {
            TensorRef ref = fleet.put("home", size, 3);
            exports.open(fleet.plane("home").peer());
            Transfer transfer = new Transfer(arena.allocate(size), ref, 0, new Transfer.Outcome() {
                @Override
                public void landed() {
                    throw new AssertionError("a transfer ends by the class that owns it");
                }

                @Override
                public void failed(RuntimeException why) {
                    throw new AssertionError(why);
                }
            });
            transfer.lookAt(exports.of(transfer.key).orElseThrow());
            assertThat(transfer.look(size / 2)).isPositive().isLessThan(size);
            fleet.plane("home").store().release(ref);
            transfer.look(size);
            assertThat(transfer.complete()).isTrue();
            assertThat(transfer.checksum()).isEqualTo(ref.checksum());
            assertThat(transfer.lookAway()).isFalse();
            assertThat(exports.of(transfer.key)).isEmpty();
        }
    }

    /** TP-8: what was copied before one of them could not be read is given back. */
    @Test
    void copies_in_shared_memory_are_all_or_none() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here");
                SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE)) {
            OffHeapTensorStore store = fleet.store("here");
            SharedMemoryReads reads =
                    new SharedMemoryReads(exports::of, store, new ReplicaCache(store, PlaneFleet.BYTES_MAX));
            TensorRef first = fleet.put("home", SMALL, 6);
            TensorRef second = fleet.put("home", SMALL, 7);
            exports.open(fleet.plane("home").peer());
            fleet.plane("home").store().release(second);
            assertThat(reads.copyAll(List.of(first, second))).isEmpty();
            assertThat(store.tensorsHeld()).isZero();
            assertThat(reads.bytesRead()).isZero();
            Map<TensorKey, TensorRef> copies =
                    reads.copyAll(List.of(first, first)).orElseThrow();
            assertThat(copies).containsOnlyKeys(TensorKey.of(first));
            assertThat(store.tensorsHeld()).isOne();
            assertThat(reads.bytesRead()).isEqualTo(SMALL);
            copies.values().forEach(store::release);
        }
    }

    /** TP-1, TP-12: wrong bytes in the export itself are requested by a message, and found wrong there, too. */
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
        BlockPool.Block block =
                store.pinned(ref.id(), ref.checksum(), ref.bytes()).orElseThrow();
        MemorySegment first = block.memory(1);
        first.set(ValueLayout.JAVA_BYTE, 0, (byte) (first.get(ValueLayout.JAVA_BYTE, 0) + 1));
        block.unpin();
    }

    /** TP-8, TP-12: in the call itself; a tensor requested twice is taken once, and one that is already here is unchanged. */
    @Test
    void small_tensors_are_adopted_without_a_message_and_without_waiting() {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO), "home", "here")) {
            TensorRef far = fleet.put("home", SMALL, 8);
            TensorRef near = fleet.put("here", 500, 9);
            TensorRef none = fleet.put("home", 0, 10);
            fleet.bring("here", none); // the roster and the export are known
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

    /** TP-1, TP-8: neither are those read before the wrong one. */
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
            fleet.plane("here").networkFaults((_, _) -> NetworkFaults.Fate.DELIVERED);
            fleet.bring("here", fleet.put("home", SMALL, 6));
            until("it is counted", () -> fleet.plane("home").stats().bytesOut() == SMALL);
            fleet.plane("here").networkFaults(NetworkFaults.FAULT_FREE);
            fleet.bring("here", fleet.put("home", SMALL, 7));
            assertThat(fleet.plane("home").stats().bytesOut()).isEqualTo(SMALL);
        }
    }

    /** TP-13: the home's directory exists by its name, but its contents are another node's. */
    @Test
    void a_window_without_the_token_of_its_node_is_not_looked_through() throws IOException {
        try (PlaneFleet fleet = PlaneFleet.of(shown(Transport.AUTO))) {
            PlanePeer home = fleet.join("home", shown(Transport.AUTO)).peer();
            fleet.join("here", shown(Transport.AUTO));
            fleet.knows("home", fleet.plane("here").peer());
            fleet.knows("here", new PlanePeer("home", home.host(), "", home.export(), Token.create(), home.address()));
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
            fleet.knows("here", new PlanePeer("home", home.host(), "", "/nowhere", home.exportToken(), home.address()));
            TensorRef ref = fleet.put("home", SMALL, 8);
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(bytes(SMALL, 8));
            until("it is counted", () -> fleet.plane("home").stats().bytesOut() == SMALL);
        }
    }

    @Test
    void nobody_else_can_read_a_window_and_it_goes_with_its_node(@TempDir Path memory) throws IOException {
        SharedTensorExport export = opened(memory);
        assertThat(Files.getPosixFilePermissions(export.directory()))
                .isEqualTo(Set.of(
                        PosixFilePermission.OWNER_READ,
                        PosixFilePermission.OWNER_WRITE,
                        PosixFilePermission.OWNER_EXECUTE));
        assertThat(export.segment(SMALL)).isPresent();
        export.close();
        assertThat(memory).isEmptyDirectory();
    }

    @Test
    void what_a_dead_process_has_left_is_removed_and_what_a_living_one_has_is_not(@TempDir Path memory)
            throws IOException {
        Path left = Files.createDirectory(memory.resolve("darkroom-window-1-000000000000"));
        Files.createFile(memory.resolve("darkroom-window-1-000000000000.lock"));
        Files.createFile(left.resolve("segment-1"));
        SharedTensorExport living = opened(memory);
        assertThat(left).doesNotExist();
        SharedTensorExport third = opened(memory);
        assertThat(living.directory()).exists();
        third.close();
        living.close();
        assertThat(memory).isEmptyDirectory();
    }

    @Test
    void tensors_leave_shared_memory_to_messages(@TempDir Path memory) throws IOException {
        long free = Files.getFileStore(memory).getUsableSpace();
        try (SharedTensorExport export =
                SharedTensorExport.open(memory, free + (1L << 40), false).orElseThrow()) {
            assertThat(export.segment(SMALL)).isEmpty();
            try (Stream<Path> files = Files.list(export.directory())) {
                assertThat(files.map(file -> file.getFileName().toString())).containsExactly(SharedTensorExport.INDEX);
            }
        }
    }

    private static SharedTensorExport opened(Path memory) {
        return SharedTensorExport.open(memory, 0, false).orElseThrow();
    }

    private static PlanePeer home(SharedTensorExport export) {
        return new PlanePeer("home", "", "", export.directory().toString(), export.token(), "");
    }

    @Test
    void a_segment_that_nobody_looks_through_is_let_go_and_mapped_again_when_it_is_needed(@TempDir Path memory) {
        AtomicLong nowNs = new AtomicLong();
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 20);
        SharedTensorExport export = opened(memory);
        store.show(export);
        TensorKey key = TensorKey.of(put(store, SMALL, 9));
        try (SharedTensorExports exports = new SharedTensorExports(nowNs::get)) {
            exports.open(home(export));
            SharedRead kept = exports.of(key).orElseThrow();
            nowNs.addAndGet(60_000_000_000L);
            exports.tick();
            SharedRead again = exports.of(key).orElseThrow();
            assertThat(again.bytes().address()).isNotEqualTo(kept.bytes().address());
            assertThat(kept.bytes().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo(bytes(1, 9)[0]);
            kept.close();
            assertThatThrownBy(() -> kept.bytes().get(ValueLayout.JAVA_BYTE, 0))
                    .isInstanceOf(IllegalStateException.class);
            again.close();
        }
        store.close();
        assertThat(store.bytesMapped()).isZero();
        export.close();
    }

    /** An export that is closed while a segment of it is being mapped. */
    @Test
    void what_is_mapped_while_its_node_leaves_is_let_go(@TempDir Path memory) throws IOException {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 20);
        SharedTensorExport export = opened(memory);
        store.show(export);
        TensorKey key = TensorKey.of(put(store, SMALL, 9));
        AtomicReference<Runnable> whileMapping = new AtomicReference<>(() -> {});
        SharedTensorExports exports = new SharedTensorExports(() -> {
            whileMapping.getAndSet(() -> {}).run();
            return 0;
        });
        exports.open(home(export));
        whileMapping.set(() -> answer(CompletableFuture.runAsync(() -> exports.shut(key.home()))));
        exports.of(key).ifPresent(SharedRead::close);
        assertThat(Files.readString(Path.of("/proc/self/maps"))
                        .lines()
                        .filter(line -> line.contains(export.directory() + "/segment-") && line.contains("r--s")))
                .isEmpty();
        exports.close();
        store.close();
        export.close();
    }

    /** TS-5: an index slot of a living tensor is not given to another one. */
    @Test
    void two_tensors_of_one_place_are_never_taken_for_each_other(@TempDir Path memory) {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 24);
        SharedTensorExport export = opened(memory);
        store.show(export);
        try (SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE)) {
            exports.open(home(export));
            TensorRef first = put(store, 100, 1);
            for (int i = 1; i < SharedTensorExport.SLOTS; i++) {
                store.release(put(store, 100, 2));
            }
            TensorRef other = put(store, 100, 3);
            assertThat(SharedTensorExport.slot(other.id())).isEqualTo(SharedTensorExport.slot(first.id()));
            assertThat(exports.of(TensorKey.of(other))).isEmpty();
            SharedRead sharedRead = exports.of(TensorKey.of(first)).orElseThrow();
            store.release(other);
            assertThat(sharedRead.still()).isTrue();
            store.release(first);
            assertThat(sharedRead.still()).isFalse();
            assertThat(exports.of(TensorKey.of(first))).isEmpty();
            sharedRead.close();
        }
        store.close();
        export.close();
    }

    /** TP-12, TS-5: the home releases and refills the same memory repeatedly. */
    @Test
    void what_was_shown_to_the_last_byte_is_what_the_reference_says(@TempDir Path memory) {
        OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 22);
        SharedTensorExport export = opened(memory);
        store.show(export);
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
        try (SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE)) {
            exports.open(home(export));
            long begun = System.nanoTime();
            while (whole < 2_000 && System.nanoTime() - begun < 20_000_000_000L) {
                TensorRef ref = newest.get();
                Optional<SharedRead> sharedRead = exports.of(TensorKey.of(ref));
                if (sharedRead.isEmpty()) {
                    continue;
                }
                try (SharedRead at = sharedRead.get()) {
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
        export.close();
    }

    /** TP-12: one file for each of a thousand small tensors would be too many. */
    @Test
    void small_tensors_share_segments_and_each_is_read_as_its_own(@TempDir Path memory) throws IOException {
        try (OffHeapTensorStore store = new OffHeapTensorStore("home", 1 << 22);
                SharedTensorExport export = opened(memory);
                SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE)) {
            store.show(export);
            exports.open(home(export));
            List<TensorRef> all = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                all.add(put(store, 600 + i % 2, i));
            }
            try (Stream<Path> files = Files.list(export.directory())) {
                assertThat(files).hasSizeLessThan(1000 / 50);
            }
            for (int i = 0; i < 1000; i++) {
                try (SharedRead sharedRead =
                        exports.of(TensorKey.of(all.get(i))).orElseThrow()) {
                    assertThat(sharedRead.bytes().toArray(ValueLayout.JAVA_BYTE))
                            .isEqualTo(bytes(600 + i % 2, i));
                }
            }
        }
    }

    /** TS-2, TS-5: shared memory is given back once all tensors in it are gone, and not before. */
    @Test
    void segments_of_small_tensors_are_given_back_when_the_budget_needs_them(@TempDir Path memory) {
        int budget = 1 << 20;
        try (OffHeapTensorStore store = new OffHeapTensorStore("home", budget);
                SharedTensorExport export = opened(memory)) {
            store.show(export);
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
            try (SharedTensorExports exports = new SharedTensorExports(SystemNanoClock.INSTANCE)) {
                exports.open(home(export));
                assertThat(exports.of(TensorKey.of(whole)))
                        .as("memory that was given back for it is exported again")
                        .hasValueSatisfying(SharedRead::close);
            }
        }
    }

    private static TensorRef put(OffHeapTensorStore store, int size, long seed) {
        return store.put(TensorRef.ElementType.UINT8, List.of(size), to -> PlaneFleet.fill(to, seed));
    }
}
