package darkroom.actors.run;

import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlanePeer;
import darkroom.tensors.TensorLostException;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import darkroom.tensors.TensorTransferException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The plane of one node of a {@link SimulatedNetwork}: bytes are copied between stores, in virtual time. */
public final class SimulatedTensorPlane implements TensorPlane {
    static final Duration TRANSFER_TIMEOUT = Duration.ofMillis(300);
    static final Duration PEER_SILENT_AFTER = Duration.ofMillis(1500);
    private static final int REPLICAS_MAX = 512;

    private final String node;
    private final OffHeapTensorStore own;
    private final OffHeapTensorStore copies;
    private final SimulatedNetwork network;
    private final LinkedHashMap<TensorRef, TensorRef> replicas = new LinkedHashMap<>();
    private final List<Transfer> underWay = new ArrayList<>();
    private final View view = new View();
    private Set<String> peers = Set.of();

    SimulatedTensorPlane(String node, OffHeapTensorStore own, SimulatedNetwork network) {
        this.node = node;
        this.own = own;
        this.copies = new OffHeapTensorStore(node + "'s replicas", 1 << 26);
        this.network = network;
    }

    private record Transfer(TensorRef ref, CompletableFuture<TensorRef> copy) {}

    /** Returns the tensors that live on this node. */
    public OffHeapTensorStore own() {
        return own;
    }

    /** Replaces the roster: tensors of other nodes are lost, including those in progress. */
    public void peers(List<PlanePeer> roster) {
        peers = roster.stream().map(PlanePeer::node).collect(Collectors.toSet());
        for (Transfer transfer : List.copyOf(underWay)) {
            if (!peers.contains(transfer.ref().home())) {
                transfer.copy().completeExceptionally(offTheRoster(transfer.ref()));
            }
        }
    }

    @Override
    public TensorStore store() {
        return view;
    }

    @Override
    public CompletionStage<Void> bring(Collection<TensorRef> tensors) {
        List<CompletableFuture<TensorRef>> all = new ArrayList<>();
        for (TensorRef ref : tensors) {
            if (!ref.home().equals(node) && !replicas.containsKey(ref)) {
                all.add(transferred(ref, copies).thenApply(replica -> keep(ref, replica)));
            }
        }
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
    }

    @Override
    public CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors) {
        List<CompletableFuture<TensorRef>> all = tensors.stream()
                .map(ref -> ref.home().equals(node) ? CompletableFuture.completedFuture(ref) : transferred(ref, own))
                .toList();
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).handle((_, failure) -> {
            if (failure == null) {
                tensors.stream().filter(ref -> !ref.home().equals(node)).forEach(view::release);
                return all.stream().map(CompletableFuture::join).toList();
            }
            for (int i = 0; i < all.size(); i++) {
                if (!all.get(i).isCompletedExceptionally()
                        && !tensors.get(i).home().equals(node)) {
                    own.release(all.get(i).join());
                }
            }
            throw new CompletionException(failure.getCause());
        });
    }

    private TensorRef keep(TensorRef ref, TensorRef replica) {
        TensorRef before = replicas.put(ref, replica);
        if (before != null) {
            copies.release(before);
        }
        if (replicas.size() > REPLICAS_MAX) {
            copies.release(replicas.pollFirstEntry().getValue());
        }
        return replica;
    }

    private CompletableFuture<TensorRef> transferred(TensorRef ref, OffHeapTensorStore into) {
        if (!peers.contains(ref.home())) {
            return CompletableFuture.failedFuture(offTheRoster(ref));
        }
        CompletableFuture<TensorRef> copy = new CompletableFuture<>();
        Transfer transfer = new Transfer(ref, copy);
        underWay.add(transfer);
        Duration deadline = network.reaches(node, ref.home()) ? TRANSFER_TIMEOUT : PEER_SILENT_AFTER;
        network.world()
                .after(
                        deadline,
                        () -> copy.completeExceptionally(new TensorTransferException(
                                "tensor %d of %s did not come within %s".formatted(ref.id(), ref.home(), deadline))));
        network.carry(node, ref.home(), home -> home.send(ref, node, answer -> arrived(ref, answer, into, copy)));
        return copy.whenComplete((_, _) -> underWay.remove(transfer));
    }

    private void send(TensorRef ref, String to, Consumer<byte[]> then) {
        byte[] bytes;
        try {
            bytes = own.read(ref).toArray(ValueLayout.JAVA_BYTE);
        } catch (TensorLostException _) {
            bytes = new byte[0];
        }
        byte[] answer = bytes;
        network.carry(node, to, _ -> then.accept(answer));
    }

    private static void arrived(
            TensorRef ref, byte[] bytes, OffHeapTensorStore into, CompletableFuture<TensorRef> copy) {
        if (copy.isDone()) {
            return;
        }
        if (bytes.length == 0) {
            copy.completeExceptionally(new TensorLostException(ref, ref.home() + " says that it is gone"));
        } else {
            copy.complete(into.put(ref.type(), ref.shape(), room -> room.copyFrom(MemorySegment.ofArray(bytes))));
        }
    }

    private static TensorLostException offTheRoster(TensorRef ref) {
        return new TensorLostException(ref, ref.home() + " is not there any more");
    }

    private final class View implements TensorStore {
        @Override
        public TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler) {
            return own.put(type, shape, filler);
        }

        @Override
        public MemorySegment read(TensorRef ref) {
            TensorRef replica = replicas.get(ref);
            return replica == null ? own.read(ref) : copies.read(replica);
        }

        @Override
        public void release(TensorRef ref) {
            if (ref.home().equals(node)) {
                own.release(ref);
            } else {
                network.carry(node, ref.home(), home -> home.own().release(ref));
            }
        }

        @Override
        public long bytesHeld() {
            return own.bytesHeld();
        }
    }
}
