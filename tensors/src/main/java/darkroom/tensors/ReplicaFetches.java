package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.ReplicaCache.Replica;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.agrona.concurrent.NanoClock;

/**
 * The calls that wait for tensors of other nodes. Concurrent calls for one tensor share one transfer into the cache (TP-2).
 * Safe for use by many threads.
 */
final class ReplicaFetches {
    private final String node;
    private final ReplicaCache cache;
    private final Consumer<List<Transfer>> beginning;
    private final NanoClock clock;
    private final Map<TensorKey, Joined> underWay = new ConcurrentHashMap<>();

    /** A transfer's replica and the number of calls that wait for it. */
    private static final class Joined {
        final CompletableFuture<Replica> replica = new CompletableFuture<>();
        int calls = 1; // guarded by the map's entry
    }

    /**
     * @param node name of this node, whose own tensors are not fetched
     * @param beginning begins transfers; may end some at once
     */
    ReplicaFetches(String node, ReplicaCache cache, Consumer<List<Transfer>> beginning, NanoClock clock) {
        this.node = node;
        this.cache = cache;
        this.beginning = beginning;
        this.clock = clock;
    }

    /** Returns the number of tensors that are being fetched. */
    int count() {
        return underWay.size();
    }

    /** Fetches every tensor of another node among these into the cache, marked as wanted once; fails with the first error. */
    CompletionStage<Map<TensorRef, Replica>> fetch(Collection<TensorRef> tensors) {
        Set<TensorRef> remote = new LinkedHashSet<>(tensors);
        remote.removeIf(ref -> ref.home().equals(node));
        Map<TensorRef, CompletableFuture<Replica>> each = new HashMap<>();
        List<Transfer> fresh = new ArrayList<>();
        remote.forEach(ref -> each.put(ref, fetch(ref, fresh)));
        if (!fresh.isEmpty()) {
            beginning.accept(fresh);
        }
        CompletableFuture<Map<TensorRef, Replica>> all = new CompletableFuture<>();
        for (CompletionStage<Replica> one : each.values()) {
            one.whenComplete((_, why) -> {
                if (why != null) {
                    all.completeExceptionally(why);
                }
            });
        }
        CompletionStage<Void> ended = CompletableFuture.allOf(each.values().toArray(CompletableFuture[]::new));
        ended.whenComplete((_, _) -> {
            Map<TensorRef, Replica> replicas = new HashMap<>();
            each.forEach((ref, one) -> {
                if (!one.isCompletedExceptionally()) {
                    replicas.put(ref, one.join());
                }
            });
            if (replicas.size() < each.size() || !all.complete(replicas)) {
                replicas.values().forEach(cache::unwanted); // TP-11
            }
        });
        return all;
    }

    /**
     * @param fresh receives the transfer, if another one is needed
     */
    private CompletableFuture<Replica> fetch(TensorRef ref, List<Transfer> fresh) {
        TensorKey key = TensorKey.of(ref);
        CompletableFuture<Replica> here = new CompletableFuture<>();
        List<Joined> first = new ArrayList<>(1);
        Joined joined = underWay.compute(key, (_, now) -> {
            if (now != null) {
                now.calls++; // TP-2
                return now;
            }
            Optional<Replica> present = cache.wanted(key);
            if (present.isPresent()) {
                here.complete(present.get());
                return null;
            }
            Joined one = new Joined();
            first.add(one);
            return one;
        });
        if (joined == null) {
            return here;
        }
        if (!first.isEmpty()) {
            add(ref, key, joined, fresh);
        }
        return joined.replica;
    }

    private void add(TensorRef ref, TensorKey key, Joined joined, List<Transfer> fresh) {
        BlockPool.Block block;
        try {
            block = cache.block(ref.bytes());
        } catch (TensorStoreFullException full) {
            underWay.remove(key);
            joined.replica.completeExceptionally(full); // TP-5
            return;
        }
        fresh.add(new Transfer(block.memory(ref.bytes()), ref, clock.nanoTime(), new Transfer.Outcome() {
            @Override
            public void landed() {
                List<Replica> placed = new ArrayList<>(1);
                underWay.compute(key, (_, _) -> {
                    placed.add(cache.place(ref, block, joined.calls));
                    return null;
                });
                joined.replica.complete(placed.getFirst());
            }

            @Override
            public void failed(RuntimeException why) {
                underWay.remove(key);
                cache.giveBack(block, ref.bytes()); // TP-11
                joined.replica.completeExceptionally(why);
            }
        }));
    }
}
