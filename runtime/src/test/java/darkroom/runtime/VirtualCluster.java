package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.DeskReport;
import darkroom.actors.NodeEvent;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Small steps with virtual devices by worker processes, for as long as a test wants; each commit's digests are kept. */
final class VirtualCluster implements AutoCloseable {
    /** On a busy machine too. */
    static final Duration SOON = Duration.ofSeconds(90);

    /** Units that are held long enough for something to happen meanwhile. */
    static final List<String> SLOW = List.of("workers.virtual.draw=2s", "workers.virtual.unit=300ms");

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

    /** @param own settings on top of those of all */
    static VirtualCluster open(String... own) throws IOException, InterruptedException {
        return new VirtualCluster(List.of(own));
    }

    private static RunSettings settings(String time, List<String> own) {
        List<String> all = new ArrayList<>(SMALL);
        Stream.of("draw", "score", "unit").forEach(part -> all.add("workers.virtual." + part + "=" + time));
        all.addAll(own);
        return Recipes.load("embedded-demo", all);
    }

    /** The digests of each commit of the same run in one process. */
    private static synchronized List<RunDigests> alone() throws IOException, InterruptedException {
        if (!ALONE.isDone()) {
            RunSettings settings = settings("1ms", List.of());
            List<RunDigests> digests = new ArrayList<>();
            try (Ground ground = Ground.Alone.with(settings)) {
                Rehearsal.run(
                        settings,
                        event -> {
                            if (event instanceof RunEvent.StepCommitted committed) {
                                digests.add(RunDigests.of(ground.plane().store(), committed.state()));
                            }
                        },
                        () -> {},
                        ground);
            }
            ALONE.complete(digests);
        }
        return ALONE.join();
    }

    /** Everything else that one may ask of it. */
    ProcessCluster processes() {
        return cluster;
    }

    Process start(String role, String... arguments) throws InterruptedException {
        return cluster.start(List.of(), List.of(role), List.of(arguments));
    }

    /** Starts one of each of these, and waits until all are let in. */
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

    /** Waits for so many commits from this moment on. */
    void awaitSteps(int more) throws InterruptedException {
        int target = commits.size() + more;
        var _ = cluster.await(
                0,
                "step " + target + " is committed",
                SOON,
                RunEvent.StepCommitted.class,
                committed -> committed.step() + 1 >= target);
    }

    /** Steps committed. */
    int committed() {
        return commits.size();
    }

    void until(String what, ProcessCluster.Condition condition) throws IOException, InterruptedException {
        cluster.await(what, SOON, condition);
    }

    /** Units that workers finished whose name has this in it. */
    long done(String partOfName) throws IOException, InterruptedException {
        return stations(partOfName).mapToLong(DeskReport.Station::done).sum();
    }

    long done(Process process) throws IOException, InterruptedException {
        return done("-" + process.pid() + "-");
    }

    private int leases(Process process) throws IOException, InterruptedException {
        return stations("-" + process.pid() + "-")
                .mapToInt(DeskReport.Station::leases)
                .sum();
    }

    /** Waits until the process has just begun a unit; with {@link #SLOW} it keeps it for a second and more. */
    void awaitFreshLease(Process process) throws IOException, InterruptedException {
        until(process.pid() + " has nothing to do", () -> leases(process) == 0);
        until(process.pid() + " holds a lease", () -> leases(process) > 0);
    }

    private Stream<DeskReport.Station> stations(String partOfName) throws IOException, InterruptedException {
        return cluster.status().desks().stream()
                .flatMap(desk -> desk.stations().stream())
                .filter(station -> station.worker().contains(partOfName));
    }

    /** P-1: ends the run; every commit was that of the run in one process, and there was no other. */
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
