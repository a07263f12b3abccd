package darkroom.tensors;

import static darkroom.tensors.PlaneFleet.answer;
import static darkroom.tensors.PlaneFleet.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.tensors.NetworkFaults.Fate;
import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.TensorPlaneSettings.Transport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class AeronTensorPlaneTest {
    private static final int CHUNK = TensorPlaneSettings.CHUNK_BYTES_MAX;
    private static final int MEBIBYTE = 1 << 20;

    /** More than a publication has in flight. */
    private static final int LARGE = 20 * MEBIBYTE;

    /** TP-1, P-8: tensors of any size, over either transport. */
    @ParameterizedTest
    @CsvSource({
        "IPC,0", "IPC,1", "IPC,63", "IPC,65343", "IPC,65344", "IPC,65345", "IPC,5000001",
        "UDP,0", "UDP,1", "UDP,63", "UDP,65343", "UDP,65344", "UDP,65345", "UDP,5000001"
    })
    void a_tensor_that_is_brought_has_the_bytes_of_its_home(Transport transport, int bytes) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", bytes, 1);
            assertThatThrownBy(() -> fleet.read("here", ref)).isInstanceOf(TensorLostException.class);
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(PlaneFleet.bytes(bytes, 1));
            assertThat(fleet.plane("here").stats().bytesIn()).isEqualTo(bytes);
            assertThat(fleet.store("here").bytesHeld()).isZero();
            fleet.bring("here", ref);
            assertThat(fleet.plane("here").stats().bytesIn()).isEqualTo(bytes);
        }
    }

    /** TP-2. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void calls_for_one_tensor_share_one_transfer(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", 8 * MEBIBYTE, 2);
            List<CompletionStage<Void>> calls = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                calls.add(fleet.plane("here").bring(List.of(ref, ref)));
            }
            calls.forEach(PlaneFleet::answer);
            assertThat(fleet.plane("here").stats().bytesIn()).isEqualTo(8 * MEBIBYTE);
            assertThat(fleet.plane("here").stats().replicaBytes()).isEqualTo(8 * MEBIBYTE);
        }
    }

    /** TP-3. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void what_its_home_does_not_have_is_lost(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", 1000, 3);
            fleet.store("home").release(ref);
            TensorRef other = fleet.put("home", 1000, 4);
            TensorRef wrong = new TensorRef(other.id(), "home", other.type(), other.shape(), ref.checksum());
            TensorRef nowhere = new TensorRef(1, "nowhere", other.type(), other.shape(), 0);
            for (TensorRef lost : List.of(ref, wrong, nowhere)) {
                assertThatThrownBy(() -> fleet.bring("here", other, lost)).isInstanceOf(TensorLostException.class);
            }
        }
    }

    /** TP-3: within one and a half seconds. */
    @ParameterizedTest
    @CsvSource({"IPC,true", "IPC,false", "UDP,true", "UDP,false"})
    void a_peer_that_vanishes_fails_what_it_owes_in_time(Transport transport, boolean begun) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "driver", "home", "here")) {
            TensorRef ref = fleet.put("home", 8 * MEBIBYTE, 5);
            AtomicInteger data = new AtomicInteger();
            fleet.plane("here").fate(frame -> {
                boolean late = frame.kind() == Kind.DATA && data.incrementAndGet() > 20;
                return late || !begun ? Fate.LOST : Fate.DELIVERED;
            });
            CompletionStage<Void> brought = fleet.plane("here").bring(List.of(ref));
            until("it has begun, or is about to", () -> !begun || data.get() > 20);
            long since = System.nanoTime();
            fleet.vanish("home");
            assertThatThrownBy(() -> answer(brought))
                    .isInstanceOf(TensorTransferException.class)
                    .hasMessageContaining("home")
                    .hasMessageContaining("tensor " + ref.id());
            assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofMillis(1500));
        }
    }

    /** TP-3. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void a_home_that_leaves_the_roster_takes_its_tensors_along(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", 8 * MEBIBYTE, 6);
            fleet.plane("here").fate(frame -> frame.kind() == Kind.DATA ? Fate.LOST : Fate.DELIVERED);
            CompletionStage<Void> brought = fleet.plane("here").bring(List.of(ref));
            until("it is under way", () -> fleet.plane("here").stats().transfers() == 1);
            fleet.plane("here").peers(List.of(fleet.plane("here").peer()));
            assertThatThrownBy(() -> answer(brought))
                    .isInstanceOf(TensorLostException.class)
                    .hasMessageContaining("home has left");
            assertThatThrownBy(() -> fleet.bring("here", ref)).hasMessageContaining("home has left");
        }
    }

    /** TP-3: the deadline holds for a peer whose silence would be tolerated for longer. */
    @Test
    void a_transfer_has_a_deadline() {
        try (PlaneFleet fleet = PlaneFleet.of(quick(Transport.IPC, 8, Duration.ofSeconds(30)), "home", "here")) {
            TensorRef ref = fleet.put("home", 1000, 7);
            fleet.plane("here").fate(frame -> frame.kind() == Kind.DATA ? Fate.LOST : Fate.DELIVERED);
            assertThatThrownBy(() -> fleet.bring("here", ref))
                    .isInstanceOf(TensorTransferException.class)
                    .hasMessageContaining("did not come within 1")
                    .hasMessageContaining("0 of 1000 bytes, asked of home");
        }
    }

    /** P-9: every incarnation of a node has its own name. */
    @Test
    void nodes_that_come_and_go_are_not_remembered_without_bound() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "here")) {
            for (int life = 0; life < 3 * PlaneAgent.LEFT_MAX; life++) {
                fleet.knows("here", new PlanePeer("life-" + life, "", "", "", "", ""));
            }
            assertThat(answer(fleet.plane("here").remembered())).isEqualTo(PlaneAgent.LEFT_MAX);
        }
    }

    /** P-9: neither is a node that has left and keeps sending, or one that is on no roster. */
    @Test
    void a_node_that_has_left_and_sends_is_not_remembered_by_what_it_sends() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.UDP, "home", "gone", "here")) {
            TensorRef ref = fleet.put("home", 1000, 7);
            fleet.knows("home", fleet.plane("here").peer());
            AtomicInteger asked = new AtomicInteger();
            fleet.plane("home").fate(frame -> {
                asked.addAndGet(frame.from() == PlaneFrame.number("gone") ? 1 : 0);
                return Fate.DELIVERED;
            });
            CompletionStage<Void> never = fleet.plane("gone").bring(List.of(ref));
            until("it has asked", () -> asked.get() > 1);
            assertThat(answer(fleet.plane("home").remembered())).isEqualTo(1);
            assertThatThrownBy(() -> answer(never)).isInstanceOf(TensorTransferException.class);
        }
    }

    /** TP-8, TP-11: an adoption that fails gives back what it has taken. */
    @Test
    void an_adoption_that_throws_half_way_keeps_nothing() {
        UnaryOperator<TensorPlaneSettings> shown = settings -> TensorPlaneSettings.defaults(settings.replicaBytesMax());
        Thread caller = Thread.currentThread();
        AtomicInteger looks = new AtomicInteger(Integer.MAX_VALUE);
        try (PlaneFleet fleet = PlaneFleet.of(shown, "home");
                OffHeapTensorStore store = new OffHeapTensorStore("here", PlaneFleet.BYTES_MAX);
                AeronTensorPlane here = AeronTensorPlane.open("here", store, shown.apply(quiet()), () -> {
                    if (Thread.currentThread() == caller && looks.decrementAndGet() == 0) {
                        throw new IllegalStateException("no time");
                    }
                    return SystemNanoClock.INSTANCE.nanoTime();
                })) {
            TensorRef first = fleet.put("home", 1000, 1);
            TensorRef second = fleet.put("home", 1000, 2);
            here.peers(List.of(fleet.plane("home").peer()));
            fleet.knows("home", here.peer());
            answer(here.bring(List.of(fleet.put("home", 0, 3)))); // the shared tensor export is known
            long lent = store.bytesLent();
            looks.set(3); // the first look maps the segment, which asks twice
            assertThatThrownBy(() -> here.adopt(List.of(first, second))).hasMessage("no time");
            assertThat(store.tensorsHeld()).isZero();
            assertThat(store.bytesLent()).isEqualTo(lent);
            looks.set(Integer.MAX_VALUE);
        }
    }

    private static TensorPlaneSettings quiet() {
        return TensorPlaneSettings.defaults(PlaneFleet.BYTES_MAX / 2);
    }

    /** A mapped file without allocated memory kills the process that touches it when memory has run out. */
    @Test
    void every_file_that_planes_map_has_all_of_its_memory() throws Exception {
        UnaryOperator<TensorPlaneSettings> shown = settings -> TensorPlaneSettings.defaults(settings.replicaBytesMax());
        try (PlaneFleet fleet = PlaneFleet.of(shown, "home", "here", "third")) {
            for (int bytes : List.of(1000, 3 * MEBIBYTE)) {
                fleet.bring("here", fleet.put("home", bytes, 1));
            }
            TensorRef ref = fleet.put("home", 1000, 1);
            answer(fleet.plane("third").adopt(List.of(ref))); // its release is a message
            until("it is answered", () -> fleet.plane("third").stats().releases() == 0);
            List<Path> mapped = new ArrayList<>();
            for (String node : List.of("home", "here", "third")) {
                mapped.addAll(files(fleet.plane(node).driverDirectory().orElseThrow()));
                mapped.addAll(files(Path.of(fleet.plane(node).peer().export())));
            }
            assertThat(mapped).hasSizeGreaterThan(12);
            for (Path file : mapped) {
                assertThat(allocated(file)).as(file.toString()).isGreaterThanOrEqualTo(Files.size(file));
            }
        }
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    private static long allocated(Path file) throws IOException, InterruptedException {
        Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
        String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        assertThat(stat.waitFor()).isZero();
        return 512 * Long.parseLong(blocks);
    }

    private static UnaryOperator<TensorPlaneSettings> quick(
            Transport transport, int transfersMax, Duration peerSilentAfter) {
        return settings -> new TensorPlaneSettings(
                transport,
                settings.driver(),
                settings.host(),
                settings.port(),
                settings.termBytes(),
                settings.chunkBytes(),
                settings.socketBytes(),
                transfersMax,
                settings.replicaBytesMax(),
                settings.shown(),
                Duration.ofMillis(1500),
                peerSilentAfter);
    }

    /** TP-1: wrong bytes are fetched again; bytes that stay wrong fail the transfer. */
    @ParameterizedTest
    @CsvSource({"IPC,1", "IPC,1000", "UDP,1", "UDP,1000"})
    void wrong_bytes_are_never_delivered(Transport transport, int times) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", 3 * CHUNK + 7, 8);
            AtomicInteger left = new AtomicInteger(times);
            fleet.plane("here")
                    .fate(frame ->
                            frame.kind() == Kind.DATA && left.getAndDecrement() > 0 ? Fate.CORRUPTED : Fate.DELIVERED);
            if (times == 1) {
                fleet.bring("here", ref);
                assertThat(fleet.read("here", ref)).isEqualTo(PlaneFleet.bytes(3 * CHUNK + 7, 8));
            } else {
                assertThatThrownBy(() -> fleet.bring("here", ref))
                        .isInstanceOf(TensorTransferException.class)
                        .hasMessageContaining("wrong bytes");
                assertThatThrownBy(() -> fleet.read("here", ref)).isInstanceOf(TensorLostException.class);
            }
        }
    }

    /** TP-1, TP-3: a tensor that is wrong at home is lost. */
    @Test
    void what_has_changed_at_home_is_lost() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            List<MemorySegment> kept = new ArrayList<>();
            TensorRef ref = fleet.store("home").put(TensorRef.ElementType.UINT8, List.of(1000), kept::add);
            kept.getFirst().fill((byte) 9);
            assertThatThrownBy(() -> fleet.bring("here", ref)).isInstanceOf(TensorLostException.class);
        }
    }

    /** TP-4: no byte is taken twice, and almost none sent twice. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void an_interrupted_transfer_goes_on_where_it_was(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            int bytes = 16 * MEBIBYTE;
            TensorRef ref = fleet.put("home", bytes, 9);
            AtomicInteger data = new AtomicInteger();
            fleet.plane("here").fate(frame -> {
                int count = frame.kind() == Kind.DATA ? data.incrementAndGet() : 0;
                return count >= 100 && count < 110 ? Fate.LOST : Fate.DELIVERED;
            });
            fleet.bring("here", ref);
            assertThat(fleet.read("here", ref)).isEqualTo(PlaneFleet.bytes(bytes, 9));
            assertThat(fleet.plane("here").stats().bytesIn()).isEqualTo(bytes);
            assertThat(fleet.plane("home").stats().bytesOut())
                    .isGreaterThan(bytes)
                    .isLessThan(2L * bytes);
        }
    }

    /** TP-5: a receiver that does not read gets half a term, and others are served. */
    @Test
    void a_receiver_that_does_not_read_holds_up_nobody_else() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.UDP, "home", "here", "deaf")) {
            TensorRef ref = fleet.put("home", 30 * MEBIBYTE, 10);
            TensorRef small = fleet.put("home", MEBIBYTE / 2, 10);
            fleet.bring("deaf", small);
            CompletionStage<Void> never = fleet.plane("deaf").bring(List.of(ref));
            until("it has begun", () -> fleet.plane("deaf").stats().bytesIn() > MEBIBYTE);
            fleet.plane("deaf").deaf(true);
            fleet.bring("here", small);
            assertThat(fleet.plane("home").stats().bytesOut()).isLessThan(30L * MEBIBYTE);
            fleet.plane("deaf").deaf(false);
            answer(never);
            assertThat(fleet.read("deaf", ref)).isEqualTo(PlaneFleet.bytes(30 * MEBIBYTE, 10));
        }
    }

    /** TP-5: more transfers than may run wait for their turn. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void many_transfers_take_turns(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(quick(transport, 2, Duration.ofSeconds(1)), "home", "here", "there")) {
            List<TensorRef> refs = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                refs.add(fleet.put("home", 100_000 + i, i));
            }
            CompletionStage<Void> here = fleet.plane("here").bring(refs);
            CompletionStage<Void> there = fleet.plane("there").bring(refs.reversed());
            answer(here);
            answer(there);
            for (int i = 0; i < 50; i++) {
                assertThat(fleet.read("there", refs.get(i))).isEqualTo(PlaneFleet.bytes(100_000 + i, i));
            }
        }
    }

    /** TP-6, P-9. */
    @Test
    void the_replica_that_was_used_last_stays_and_the_oldest_makes_room() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            TensorRef first = fleet.put("home", 12 * MEBIBYTE, 11);
            TensorRef second = fleet.put("home", 12 * MEBIBYTE, 12);
            TensorRef third = fleet.put("home", 12 * MEBIBYTE, 13);
            fleet.bring("here", first);
            fleet.bring("here", second);
            fleet.read("here", first);
            fleet.bring("here", third);
            assertThat(fleet.plane("here").stats().replicaBytes()).isEqualTo(24 * MEBIBYTE);
            assertThatThrownBy(() -> fleet.read("here", second)).isInstanceOf(TensorLostException.class);
            fleet.read("here", first);
            assertThatThrownBy(() -> fleet.bring("here", first, second, third))
                    .isInstanceOf(TensorStoreFullException.class);
            until(
                    "what was not needed after all is given back",
                    () -> fleet.plane("here").stats().transfers() == 0);
            List<TensorRef> own = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                own.add(fleet.put("here", 12 * MEBIBYTE, i)); // replicas make room for the node's own
            }
            assertThatThrownBy(() -> fleet.put("here", 12 * MEBIBYTE, 5)).isInstanceOf(TensorStoreFullException.class);
            assertThatThrownBy(() -> fleet.bring("here", first)).isInstanceOf(TensorStoreFullException.class);
            own.forEach(fleet.plane("here").store()::release);
            assertThat(fleet.store("here").bytesHeld()).isZero();
        }
    }

    /** TP-7: with half of all messages lost, on both sides. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void a_release_reaches_the_home_and_counts_once(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            TensorRef ref = fleet.put("home", 1000, 14);
            TensorRef stays = fleet.put("home", 1000, 15);
            fleet.bring("here", ref, stays);
            for (String node : List.of("home", "here")) {
                SplittableRandom chance = new SplittableRandom(14);
                fleet.plane(node).fate(_ -> chance.nextBoolean() ? Fate.DELIVERED : Fate.LOST);
            }
            fleet.plane("here").store().release(ref);
            fleet.plane("here").store().release(ref);
            assertThatThrownBy(() -> fleet.read("here", ref)).isInstanceOf(TensorLostException.class);
            until("the home has released it", () -> fleet.store("home").tensorsHeld() == 1);
            until("its answer has come", () -> fleet.plane("here").stats().releases() == 0);
            assertThat(fleet.read("home", stays)).isEqualTo(PlaneFleet.bytes(1000, 15));
        }
    }

    /** TP-8. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void adopted_tensors_are_the_nodes_own_and_their_originals_are_gone(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "other", "here")) {
            TensorRef far = fleet.put("home", 2 * MEBIBYTE, 16);
            TensorRef near = fleet.put("here", 500, 17);
            TensorRef third = fleet.put("other", 0, 18);
            List<TensorRef> adopted = answer(fleet.plane("here").adopt(List.of(far, near, third, far)));
            assertThat(adopted).hasSize(4).allMatch(ref -> ref.home().equals("here"));
            assertThat(adopted.get(1)).isEqualTo(near);
            assertThat(adopted.get(3)).isEqualTo(adopted.get(0));
            assertThat(fleet.read("here", adopted.get(0))).isEqualTo(PlaneFleet.bytes(2 * MEBIBYTE, 16));
            until(
                    "the originals are released",
                    () -> fleet.store("home").tensorsHeld()
                                    + fleet.store("other").tensorsHeld()
                            == 0);
            adopted.forEach(fleet.plane("here").store()::release);
            assertThat(fleet.store("here").bytesHeld()).isZero();
            assertThat(fleet.store("here").bytesLent()).isZero();
        }
    }

    /** TP-8. */
    @Test
    void an_adoption_that_fails_takes_nothing() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            TensorRef ref = fleet.put("home", 2 * MEBIBYTE, 19);
            TensorRef lost = new TensorRef(99, "home", ref.type(), ref.shape(), 0);
            assertThatThrownBy(() -> answer(fleet.plane("here").adopt(List.of(ref, lost))))
                    .isInstanceOf(TensorLostException.class);
            until("nothing is under way", () -> fleet.plane("here").stats().transfers() == 0);
            assertThat(fleet.store("here").tensorsHeld()).isZero();
            assertThat(fleet.plane("here").stats().releases()).isZero();
            assertThat(fleet.read("home", ref)).isEqualTo(PlaneFleet.bytes(2 * MEBIBYTE, 19));
        }
    }

    /** TP-9: four receivers, one pass, and a late one gets the rest in the next round. */
    @Test
    void receivers_of_one_driver_share_one_pass() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "a", "b", "c", "d", "late")) {
            int bytes = 24 * MEBIBYTE;
            TensorRef ref = fleet.put("home", bytes, 20);
            AtomicInteger requests = new AtomicInteger();
            fleet.plane("home").deaf(true);
            List<CompletionStage<Void>> brought = new ArrayList<>();
            for (String node : List.of("a", "b", "c", "d")) {
                brought.add(fleet.plane(node).bring(List.of(ref)));
            }
            for (String node : List.of("a", "b", "c", "d")) {
                until(
                        "its request is under way",
                        () -> fleet.plane(node).stats().transfers() == 1);
            }
            fleet.plane("home").fate(frame -> {
                requests.incrementAndGet();
                return Fate.DELIVERED;
            });
            fleet.plane("home").deaf(false);
            brought.forEach(PlaneFleet::answer);
            assertThat(requests.get()).isGreaterThanOrEqualTo(4);
            until(
                    "all that was sent is counted",
                    () -> fleet.plane("home").stats().bytesOut() >= bytes);
            assertThat(fleet.plane("home").stats().bytesOut()).isLessThan(bytes * 3L / 2);
            for (String node : List.of("a", "b", "c", "d")) {
                assertThat(fleet.read(node, ref)).isEqualTo(PlaneFleet.bytes(bytes, 20));
            }
            fleet.bring("late", ref);
            assertThat(fleet.read("late", ref)).isEqualTo(PlaneFleet.bytes(bytes, 20));
        }
    }

    /** TP-9: an upload to one node moves to all when another asks, and the first one misses nothing of it. */
    @Test
    void a_receiver_that_is_joined_by_another_hears_every_chunk_in_order() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "a", "b")) {
            TensorRef ref = fleet.put("home", LARGE, 24);
            List<PlaneFrame> heard = new CopyOnWriteArrayList<>();
            List<CompletionStage<Void>> joined = new CopyOnWriteArrayList<>();
            fleet.plane("a").fate(frame -> {
                heard.add(frame);
                if (heard.size() == 40) {
                    fleet.plane("a").deaf(true);
                    joined.add(fleet.plane("b").bring(List.of(ref)));
                }
                return Fate.DELIVERED;
            });
            CompletionStage<Void> begun = fleet.plane("a").bring(List.of(ref));
            until("the other one is served", () -> fleet.plane("b").stats().bytesIn() > MEBIBYTE);
            fleet.plane("a").deaf(false);
            answer(begun);
            answer(joined.getFirst());
            long next = 0;
            for (PlaneFrame chunk : heard) {
                assertThat(chunk.offset()).isLessThanOrEqualTo(next);
                next = Math.max(next, chunk.offset() + chunk.bytes());
            }
            assertThat(heard).extracting(PlaneFrame::to).contains(PlaneFrame.number("a"), PlaneFrame.EVERYONE);
            assertThat(fleet.read("a", ref)).isEqualTo(PlaneFleet.bytes(LARGE, 24));
            assertThat(fleet.read("b", ref)).isEqualTo(PlaneFleet.bytes(LARGE, 24));
        }
    }

    /** TP-1: each reads the other's messages, and skips them. */
    @Test
    void two_nodes_whose_names_fall_on_one_stream_get_what_is_theirs() {
        Map<Integer, String> seen = new HashMap<>();
        String one = "";
        String other = "";
        for (int i = 0; one.isEmpty(); i++) {
            other = "node-" + i;
            one = Objects.requireNonNullElse(seen.put(PlaneFrame.stream(PlaneFrame.number(other)), other), "");
        }
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", one, other)) {
            TensorRef first = fleet.put("home", MEBIBYTE, 1);
            TensorRef second = fleet.put("home", MEBIBYTE, 2);
            CompletionStage<Void> begun = fleet.plane(one).bring(List.of(first));
            fleet.bring(other, second);
            answer(begun);
            assertThat(fleet.read(one, first)).isEqualTo(PlaneFleet.bytes(MEBIBYTE, 1));
            assertThat(fleet.read(other, second)).isEqualTo(PlaneFleet.bytes(MEBIBYTE, 2));
            assertThat(fleet.plane(one).stats().bytesIn()).isEqualTo(MEBIBYTE);
            assertThat(fleet.plane(other).stats().bytesIn()).isEqualTo(MEBIBYTE);
            TensorRef third = fleet.put(one, MEBIBYTE, 3);
            fleet.bring("home", third);
            assertThat(fleet.read("home", third)).isEqualTo(PlaneFleet.bytes(MEBIBYTE, 3));
        }
    }

    /** TP-1: publications that were unused for long are closed, and opened again. */
    @ParameterizedTest
    @EnumSource(names = {"IPC", "UDP"})
    void nodes_that_had_nothing_to_say_for_minutes_speak_again(Transport transport) {
        try (PlaneFleet fleet = PlaneFleet.of(transport, "home", "here")) {
            for (int seed = 0; seed < 4; seed++) {
                TensorRef ref = fleet.put("home", MEBIBYTE, seed);
                fleet.bring("here", ref);
                assertThat(fleet.read("here", ref)).isEqualTo(PlaneFleet.bytes(MEBIBYTE, seed));
                fleet.plane("here").store().release(ref);
                until("it is released", () -> fleet.store("home").tensorsHeld() == 0);
                fleet.idle(Duration.ofMinutes(2));
            }
        }
    }

    /** TP-7: short messages that wait for one peer are sent together, and each of them counts. */
    @Test
    void many_releases_at_a_time_reach_the_home() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            List<TensorRef> refs = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                refs.add(fleet.put("home", 100 + i, i));
            }
            answer(fleet.plane("here").bring(refs));
            refs.forEach(fleet.plane("here").store()::release);
            until("all are released", () -> fleet.store("home").tensorsHeld() == 0);
            until("every answer has come", () -> fleet.plane("here").stats().releases() == 0);
        }
    }

    /** TP-10: two are served directly; the third is redirected to one that has it. */
    @Test
    void a_late_joiner_is_served_by_a_peer() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.UDP, "home", "a", "b", "c")) {
            TensorRef ref = occupied(fleet);
            fleet.join("late", settings -> settings.over(Transport.UDP));
            fleet.know();
            List<Long> redirections = redirections(fleet, "late");
            fleet.bring("late", ref);
            assertThat(redirections).containsExactly(PlaneFrame.number("a"));
            assertThat(fleet.plane("a").stats().bytesOut()).isBetween((long) LARGE, LARGE * 3L / 2);
            assertThat(fleet.read("late", ref)).isEqualTo(PlaneFleet.bytes(LARGE, 21));
        }
    }

    /** TP-10, TP-4: the peer that should have it does not, and the home is asked again. */
    @Test
    void a_peer_that_has_it_no_longer_sends_one_back_to_the_home() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.UDP, "home", "a", "b", "c", "late")) {
            TensorRef ref = occupied(fleet);
            fleet.bring("a", fleet.put("home", 20 * MEBIBYTE, 22));
            assertThatThrownBy(() -> fleet.read("a", ref)).isInstanceOf(TensorLostException.class);
            List<Long> redirections = redirections(fleet, "late");
            fleet.bring("late", ref);
            assertThat(redirections).containsExactly(PlaneFrame.number("a"));
            assertThat(fleet.read("late", ref)).isEqualTo(PlaneFleet.bytes(LARGE, 21));
        }
    }

    /** TP-10: one copy crosses to another machine and is passed on there. */
    @Test
    void a_machine_gets_one_copy_from_afar() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.UDP, "home", "a", "b", "c")) {
            List<PlanePeer> asIfFar = new ArrayList<>();
            for (String node : List.of("a", "b", "c")) {
                PlanePeer peer = fleet.plane(node).peer();
                asIfFar.add(
                        new PlanePeer(node, "far", peer.driver(), peer.export(), peer.exportToken(), peer.address()));
            }
            fleet.plane("home").peers(asIfFar);
            TensorRef ref = fleet.put("home", LARGE, 21);
            List<CompletionStage<Void>> brought = new ArrayList<>();
            for (String node : List.of("a", "b", "c")) {
                brought.add(fleet.plane(node).bring(List.of(ref)));
            }
            brought.forEach(PlaneFleet::answer);
            assertThat(fleet.plane("home").stats().bytesOut())
                    .as("one copy, and what a busy machine has to be sent again; three would be three times as much")
                    .isBetween((long) LARGE, LARGE * 3L / 2);
            for (String node : List.of("a", "b", "c")) {
                assertThat(fleet.read(node, ref)).isEqualTo(PlaneFleet.bytes(LARGE, 21));
            }
        }
    }

    /** A tensor that {@code a} has, and whose uploads to {@code b} and {@code c} are stalled since they do not read. */
    private static TensorRef occupied(PlaneFleet fleet) {
        TensorRef ref = fleet.put("home", LARGE, 21);
        fleet.bring("a", ref);
        for (String node : List.of("b", "c")) {
            fleet.plane(node).fate(frame -> {
                if (frame.kind() == Kind.DATA) {
                    fleet.plane(node).deaf(true);
                }
                return Fate.DELIVERED;
            });
            CompletionStage<Void> begun = fleet.plane(node).bring(List.of(ref));
            until("it has begun", () -> fleet.plane(node).stats().bytesIn() > 0);
            assertThat(begun.toCompletableFuture()).isNotDone();
        }
        return ref;
    }

    private static List<Long> redirections(PlaneFleet fleet, String node) {
        List<Long> redirections = new CopyOnWriteArrayList<>();
        fleet.plane(node).fate(frame -> {
            if (frame.kind() == Kind.REDIRECT) {
                redirections.add(frame.third());
            }
            return Fate.DELIVERED;
        });
        return redirections;
    }

    /** TP-11: a closed plane fails current and later calls. */
    @Test
    void a_closed_plane_says_so() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            TensorRef ref = fleet.put("home", MEBIBYTE, 23);
            fleet.plane("here").fate(_ -> Fate.LOST);
            AeronTensorPlane plane = fleet.plane("here");
            CompletionStage<Void> brought = plane.bring(List.of(ref));
            fleet.vanish("here");
            for (CompletionStage<Void> closed : List.of(brought, plane.bring(List.of(ref)))) {
                assertThatThrownBy(() -> answer(closed))
                        .isInstanceOf(TensorTransferException.class)
                        .hasMessageContaining("closed");
            }
        }
    }

    /** A driver that ends closes its planes, which report it. */
    @Test
    void a_plane_whose_driver_is_gone_tells_its_owner() {
        try (PlaneFleet fleet = PlaneFleet.of(Transport.IPC, "home", "here")) {
            List<String> told = new ArrayList<>();
            fleet.plane("here").onLost(why -> {
                synchronized (told) {
                    told.add(why);
                }
            });
            TensorRef ref = fleet.put("home", MEBIBYTE, 24);
            fleet.vanish("home");
            until("the loss is noticed", () -> {
                synchronized (told) {
                    return told.size() == 1;
                }
            });
            assertThatThrownBy(() -> fleet.bring("here", ref)).isInstanceOf(TensorTransferException.class);
        }
    }
}
