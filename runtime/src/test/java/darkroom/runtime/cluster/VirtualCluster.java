package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.Poll;
import darkroom.runtime.bench.ProcessCluster;
import darkroom.runtime.bench.Rehearsal;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Small steps with virtual devices in worker processes, for as long as a test needs; keeps each commit's digests. */
final class VirtualCluster implements AutoCloseable {
    /** Long enough for a busy machine. */
    static final Duration SOON = Duration.ofSeconds(90);

    /** Units that are held long enough for another event to happen. */
    static final List<String> SLOW = List.of("workers.virtual.rollout=2s", "workers.virtual.unit=300ms");

    private static final List<String> SMALL = List.of(
            "rollout.groups-per-step=4",
            "rollout.images-per-group=4",
            "training.unit-samples=4",
            "training.optimizer-steps=2",
            "workers.device=virtual",
            "limits.work-attempts-max=64",
            "steps=200");
    private static final CompletableFuture<List<RunDigests>> ALONE = new CompletableFuture<>();

    private final List<RunDigests> commits = Collections.synchronizedList(new ArrayList<>());
    private final ProcessCluster cluster;

    private VirtualCluster(List<String> own) throws IOException, InterruptedException {
        cluster = ProcessCluster.open(settings("60ms", own), own, (event, store) -> {
            if (event instanceof RunEvent.StepCommitted committed) {
                commits.add(RunDigests.of(store, committed.state()));
            }
        });
    }

    /**
     * Opens a cluster.
     *
     * @param own settings on top of the common ones
     */
    static VirtualCluster open(String... own) throws IOException, InterruptedException {
        return new VirtualCluster(List.of(own));
    }

    private static RunSettings settings(String time, List<String> own) {
        List<String> all = new ArrayList<>(SMALL);
        Stream.of("rollout", "score", "unit").forEach(part -> all.add("workers.virtual." + part + "=" + time));
        all.addAll(own);
        return Recipes.load("embedded-demo", all);
    }

    /** Returns the digests of each commit of the same run in one process. */
    private static synchronized List<RunDigests> alone() throws IOException, InterruptedException {
        if (!ALONE.isDone()) {
            RunSettings settings = settings("1ms", List.of());
            List<RunDigests> digests = new ArrayList<>();
            try (RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
                Rehearsal.run(
                        settings,
                        event -> {
                            if (event instanceof RunEvent.StepCommitted committed) {
                                digests.add(RunDigests.of(environment.plane().store(), committed.state()));
                            }
                        },
                        () -> {},
                        environment);
            }
            ALONE.complete(digests);
        }
        return ALONE.join();
    }

    /** Returns the underlying processes. */
    ProcessCluster processes() {
        return cluster;
    }

    Process start(String role, String... arguments) throws InterruptedException {
        return cluster.start(List.of(), List.of(role), List.of(arguments));
    }

    /** Starts one node of each of these roles, and waits until all are admitted. */
    List<Process> startAll(String... roles) throws InterruptedException {
        List<Process> all = new ArrayList<>();
        for (String role : roles) {
            all.add(start(role));
        }
        for (Process process : all) {
            awaitJoined(process);
        }
        return all;
    }

    NodeEvent.NodeJoined awaitJoined(Process process) throws InterruptedException {
        return cluster.awaitJoined(0, process, SOON).event();
    }

    NodeEvent.NodeLeft awaitLeft(Process process) throws InterruptedException {
        return cluster.awaitLeft(0, process, SOON).event();
    }

    /** Waits for this many commits from now on. */
    void awaitSteps(int more) throws InterruptedException {
        int target = commits.size() + more;
        var _ = cluster.await(
                0,
                "step " + target + " is committed",
                SOON,
                RunEvent.StepCommitted.class,
                committed -> committed.step() + 1 >= target);
    }

    /** Returns the number of committed steps. */
    int committed() {
        return commits.size();
    }

    void until(String what, Poll.Condition condition) throws IOException, InterruptedException {
        cluster.await(what, SOON, condition);
    }

    /** Returns the number of finished units of workers whose name contains this. */
    long done(String partOfName) throws IOException, InterruptedException {
        return stations(partOfName).mapToLong(WorkQueueReport.Station::done).sum();
    }

    long done(Process process) throws IOException, InterruptedException {
        return done("-" + process.pid() + "-");
    }

    private int leases(Process process) throws IOException, InterruptedException {
        return stations("-" + process.pid() + "-")
                .mapToInt(WorkQueueReport.Station::leases)
                .sum();
    }

    /** Waits until the process has just begun a unit; with {@link #SLOW} it keeps it for more than a second. */
    void awaitFreshLease(Process process) throws IOException, InterruptedException {
        until(process.pid() + " has nothing to do", () -> leases(process) == 0);
        until(process.pid() + " holds a lease", () -> leases(process) > 0);
    }

    private Stream<WorkQueueReport.Station> stations(String partOfName) throws IOException, InterruptedException {
        return cluster.status().queues().stream()
                .flatMap(queue -> queue.stations().stream())
                .filter(station -> station.worker().contains(partOfName));
    }

    /** Ends the run; every commit equals that of the run in one process, and no other exists (P-1). */
    void endsAsAlone() throws IOException, InterruptedException {
        cluster.finish(SOON);
        List<RunDigests> all = List.copyOf(commits);
        assertThat(all).isNotEmpty();
        assertThat(all).as(cluster::tale).isEqualTo(alone().subList(0, all.size()));
    }

    @Override
    public void close() throws IOException {
        cluster.close();
    }
}
