package darkroom.actors.workqueue;

import darkroom.actors.device.LeaseId;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a {@link WorkQueue}, and which unit is leased to which of them.
 *
 * <p>A lease ends in one of four ways: {@link #endLease} when its worker reports, {@link #takeAway} when it is silent or
 * stalled, {@link #removeWorker} when its worker is gone, {@link #close} when its unit is answered or withdrawn. All four
 * go through {@link #drop}. A worker that may still be busy with a lease that ended is charged for it until its report:
 * the lease is abandoned. The late result of an ended lease still finds its unit, until the unit is closed.
 *
 * <p>Owned by one actor, and used by its thread only. Time is counted in its ticks.
 */
final class LeaseTable<U extends Unit, R extends Result> {
    private final int leaseTicks;
    private final Map<LeaseId, Lease<U, R>> leases = new LinkedHashMap<>();
    private final Map<LeaseId, Work<U, R>> openByLease = new LinkedHashMap<>();
    private final Map<ActorRef<LeasedWorker.Command<U, R>>, Station<U, R>> stations = new LinkedHashMap<>();
    private long nextLease;

    /**
     * Creates an empty table.
     *
     * @param leaseTicks ticks of silence after which a worker gets no leases and a lease has expired
     */
    LeaseTable(int leaseTicks) {
        this.leaseTicks = leaseTicks;
    }

    /**
     * Records a heartbeat.
     *
     * @return whether it is the first of its worker
     */
    boolean heartbeat(WorkQueue.Heartbeat<U, R> heartbeat) {
        Station<U, R> station = stations.get(heartbeat.worker());
        boolean joins = station == null;
        if (station == null) {
            station = new Station<>(heartbeat.worker(), heartbeat.name());
            stations.put(heartbeat.worker(), station);
        }
        station.capacity = heartbeat.capacity();
        station.silentTicks = 0;
        station.abandoned.retainAll(heartbeat.leases());
        for (LeaseId id : heartbeat.leases()) {
            Lease<U, R> lease = leases.get(id);
            if (lease != null) {
                lease.silentTicks = 0;
            } else {
                station.abandoned.add(id); // WQ-5
            }
        }
        return joins;
    }

    /** Counts one tick. Returns the leases that have expired, oldest first; they stay until they are taken away. */
    List<Lease<U, R>> tick() {
        stations.values().forEach(station -> station.silentTicks++);
        List<Lease<U, R>> expired = new ArrayList<>();
        for (Lease<U, R> lease : leases.values()) {
            lease.ageTicks++;
            if (++lease.silentTicks >= leaseTicks) {
                expired.add(lease);
            }
        }
        return expired;
    }

    /** Leases a unit to a worker. */
    LeasedWorker.Leased<U> lease(Work<U, R> work, Station<U, R> station) {
        LeaseId id = new LeaseId(nextLease++);
        work.attempts++;
        work.leases.add(id);
        leases.put(id, new Lease<>(id, work, station.worker));
        station.leases++;
        openByLease.put(id, work);
        return new LeasedWorker.Leased<>(id, work.unit);
    }

    /** Ends a lease that its worker has reported: the worker is free of it. */
    void endLease(ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId id) {
        var _ = drop(id);
        Station<U, R> station = stations.get(worker);
        if (station != null) {
            station.abandoned.remove(id);
        }
    }

    /**
     * Takes away a lease that is silent or stalled. The worker may still be busy: the lease counts against its capacity
     * until a report of it ends that.
     */
    void takeAway(Lease<U, R> lease) {
        abandon(lease.id);
    }

    /** Removes a worker that is gone. Returns it and the leases that it had; empty if it is not known. */
    Optional<Removed<U, R>> removeWorker(ActorRef<?> worker) {
        Station<U, R> station = stations.remove(worker);
        if (station == null) {
            return Optional.empty();
        }
        List<Lease<U, R>> orphans = leases.values().stream()
                .filter(lease -> lease.worker.equals(worker))
                .toList();
        for (Lease<U, R> lease : orphans) {
            var _ = drop(lease.id);
        }
        return Optional.of(new Removed<>(station, orphans));
    }

    /** Closes a unit: its leases end, and results of them find no unit. */
    void close(Work<U, R> work) {
        for (LeaseId id : work.leases) {
            openByLease.remove(id);
            abandon(id);
        }
    }

    private void abandon(LeaseId id) {
        Lease<U, R> lease = drop(id);
        Station<U, R> station = lease == null ? null : stations.get(lease.worker);
        if (station != null) {
            station.abandoned.add(id);
        }
    }

    /** Ends a lease, whatever the reason. Returns null if it has ended before. */
    private @Nullable Lease<U, R> drop(LeaseId id) {
        Lease<U, R> lease = leases.remove(id);
        Station<U, R> station = lease == null ? null : stations.get(lease.worker);
        if (station != null) {
            station.leases--;
        }
        return lease;
    }

    /** Returns the open unit of a lease, ended or not; null if the unit is closed. */
    @Nullable
    Work<U, R> openUnit(LeaseId lease) {
        return openByLease.get(lease);
    }

    /** Returns whether the lease has not ended. */
    boolean isHeld(LeaseId lease) {
        return leases.containsKey(lease);
    }

    /** Returns the oldest lease, null if there is none. */
    @Nullable
    Lease<U, R> oldest() {
        return leases.values().stream().findFirst().orElse(null);
    }

    /** Returns the leases that are at least so old, oldest first. */
    List<Lease<U, R>> olderThan(int ticks) {
        return leases.values().stream().filter(lease -> lease.ageTicks >= ticks).toList();
    }

    /** Returns all workers, in the order in which they joined. */
    Collection<Station<U, R>> stations() {
        return Collections.unmodifiableCollection(stations.values());
    }

    /** Returns the worker, null if it is not known. */
    @Nullable
    Station<U, R> station(ActorRef<LeasedWorker.Command<U, R>> worker) {
        return stations.get(worker);
    }

    /** Returns the name of a worker, known or not. */
    String nameOf(ActorRef<LeasedWorker.Command<U, R>> worker) {
        Station<U, R> station = stations.get(worker);
        return station == null ? worker.path().name() : station.name;
    }

    boolean isSilent(Station<U, R> station) {
        return station.silentTicks >= leaseTicks;
    }

    /** Returns how many leases the worker may get (WQ-5). */
    int free(Station<U, R> station) {
        return isSilent(station) ? 0 : station.capacity - station.held(); // WQ-5
    }

    /** A worker that was removed, and the leases that ended with it, oldest first. */
    record Removed<U extends Unit, R extends Result>(Station<U, R> station, List<Lease<U, R>> leases) {
        Removed {
            leases = List.copyOf(leases);
        }
    }

    /** One open unit. */
    static final class Work<U extends Unit, R extends Result> {
        final U unit;
        final ActorRef<WorkQueue.Reply<U, R>> requester;
        final Set<ActorRef<LeasedWorker.Command<U, R>>> failedOn = new HashSet<>();
        private final List<LeaseId> leases = new ArrayList<>();
        private int attempts;

        Work(U unit, ActorRef<WorkQueue.Reply<U, R>> requester) {
            this.unit = unit;
            this.requester = requester;
        }

        /** Returns how often the unit was leased. */
        int attempts() {
            return attempts;
        }
    }

    /** One unit leased to one worker. */
    static final class Lease<U extends Unit, R extends Result> {
        final LeaseId id;
        final Work<U, R> work;
        final ActorRef<LeasedWorker.Command<U, R>> worker;
        private int silentTicks;
        private int ageTicks;

        private Lease(LeaseId id, Work<U, R> work, ActorRef<LeasedWorker.Command<U, R>> worker) {
            this.id = id;
            this.work = work;
            this.worker = worker;
        }
    }

    /** One worker; {@code abandoned} are leases it may still be busy with though the queue no longer waits for them. */
    static final class Station<U extends Unit, R extends Result> {
        final ActorRef<LeasedWorker.Command<U, R>> worker;
        final String name;
        private final Set<LeaseId> abandoned = new HashSet<>();
        private int capacity;
        private int leases;
        private int silentTicks;
        private long done;
        private @Nullable PolicyVersion serves;

        private Station(ActorRef<LeasedWorker.Command<U, R>> worker, String name) {
            this.worker = worker;
            this.name = name;
        }

        /** Counts a unit that it has performed. */
        void performed(Unit unit) {
            done++;
            if (unit instanceof RolloutUnit rollout) {
                serves = rollout.policy();
            }
        }

        /** Returns the leases that count against its capacity. */
        int held() {
            return abandoned.size() + leases;
        }

        int silentTicks() {
            return silentTicks;
        }

        /** Returns the report of this worker, {@code silentMillis} after its last heartbeat. */
        WorkQueueReport.Station report(long silentMillis) {
            return new WorkQueueReport.Station(name, capacity, leases, done, Optional.ofNullable(serves), silentMillis);
        }
    }
}
