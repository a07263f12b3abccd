package darkroom.runtime.chaos;

import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.base.Poll;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.chaos.ChaosPlan.Planned;
import darkroom.runtime.cluster.ControlHeartbeat;
import darkroom.runtime.report.Summary;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One run in processes of this machine, disturbed by a schedule of faults. This process takes no part in the run: its
 * {@link ProcessFleet} starts, signals and restarts nodes, its {@link FaultInjector} causes the faults of its
 * {@link FaultSchedule}, and its {@link RunObserver} reads the files that the run writes into its directory.
 */
public final class ChaosRun implements AutoCloseable {
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);

    private final String name;
    private final Path directory;
    private final ChaosPlan plan;
    private final long seed;
    private final ChaosLog log;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    private final ProcessFleet fleet;
    private final RunObserver observer;
    private final FaultSchedule schedule;
    private final FaultInjector injector;

    /**
     * End of the run as seen from here.
     *
     * @param reported as the control node reported it; empty if it never did
     * @param problem what is wrong with it; empty if nothing
     */
    private record Ending(Optional<Summary.End> reported, Optional<String> problem) {}

    /**
     * Creates a run.
     *
     * @param directory of the run; must not exist yet
     * @param schedule faults of the run; may be empty
     * @param seed picks one among several processes that a fault may affect
     */
    public ChaosRun(String name, Path directory, ChaosPlan plan, List<Planned> schedule, long seed, PrintWriter out)
            throws IOException {
        this.name = name;
        this.directory = directory;
        this.plan = plan;
        this.seed = seed;
        this.log = new ChaosLog(name, out);
        this.fleet = new ProcessFleet(directory, plan, !schedule.isEmpty(), log);
        this.observer = new RunObserver(directory, http, log);
        this.schedule = new FaultSchedule(schedule, new HashSet<>(plan.faults()), plan.hangAfter());
        this.injector = new FaultInjector(fleet, observer, http, log, seed);
    }

    /** Runs to the end, successful or not. */
    public ChaosReport.Run run() throws IOException, InterruptedException {
        fleet.start();
        // Each commit restarts the time after which the run hangs, so this bound is never the first.
        Duration within = plan.hangAfter().multipliedBy(plan.steps() + 2L);
        Ending ending = Poll.forValue(LOOK_EVERY, within, this::look).orElseGet(this::hangs);
        fleet.end(ending.problem().isEmpty() ? ProcessFleet.LEFT_WITHIN : Duration.ZERO);
        observer.read();
        fleet.update((_, _) -> {}, observer::isAskedToEnd);
        return report(ending, log.now());
    }

    /** Reads what is new, restarts processes and injects faults; returns the end of the run once it has ended. */
    private Optional<Ending> look() throws IOException, InterruptedException {
        observer.read();
        fleet.update(observer::ended, observer::isAskedToEnd);
        Optional<ControlHeartbeat> heartbeat = ControlHeartbeat.read(directory);
        Optional<Ending> ended = heartbeat.flatMap(ChaosRun::ending);
        if (ended.isPresent()) {
            return ended;
        }
        if (log.now() - observer.lastCommit().orElse(0) > plan.hangAfter().toMillis() / 1e3) {
            return Optional.of(hangs());
        }
        fleet.restartDue(heartbeat.isPresent());
        if (observer.hasBegun() && observer.steps() < plan.steps()) {
            schedule.injectDue(
                    new FaultSchedule.Progress(log.now(), observer.began(), observer.steps(), observer.lastCommit()),
                    entry -> injector.inject(entry, heartbeat));
        }
        observer.ask(fleet.nodes());
        return Optional.empty();
    }

    /** Returns the end that a heartbeat reports. A control node that was asked to end is restarted and resumes the run. */
    private static Optional<Ending> ending(ControlHeartbeat heartbeat) {
        Summary.End.Kind kind = heartbeat.end();
        if (kind == null) {
            return Optional.empty();
        }
        Optional<Summary.End> reported = Optional.of(new Summary.End(kind, heartbeat.ended()));
        return switch (kind) {
            case REQUEST -> Optional.empty();
            case COMPLETED -> Optional.of(new Ending(reported, Optional.empty()));
            case RULE, FAILED ->
                Optional.of(new Ending(reported, Optional.of("the run has ended otherwise: " + heartbeat.ended())));
        };
    }

    private Ending hangs() {
        return new Ending(
                Optional.empty(),
                Optional.of("nothing was committed for %s after step %d; the logs are in %s"
                        .formatted(plan.hangAfter(), observer.steps(), fleet.logs())));
    }

    private ChaosReport.Run report(Ending ending, double seconds) throws IOException {
        List<String> wrong = new ArrayList<>(ending.problem().stream().toList());
        for (InjectedFault fault : observer.faults()) {
            if (fault.isWitnessed()) {
                continue;
            }
            if (fault.remark().isEmpty()) {
                fault.remark("the run ended before an effect was seen");
            }
            if (!fault.isByChance()) {
                wrong.add("no witness of %s on %s: %s"
                        .formatted(fault.order().text(), fault.node().label(), fault.remark()));
            }
        }
        for (Planned missing : schedule.missing()) {
            wrong.add("%s on %s has not happened: the run ended first, or nobody was there for it"
                    .formatted(missing.order().text(), missing.on()));
        }
        RunDigests digests = null;
        if (Files.exists(new RunDirectory(directory).summary())) {
            digests = Summary.read(directory).digests();
        } else {
            wrong.add("there is no summary of the run");
        }
        return new ChaosReport.Run(
                name,
                seed,
                ending.reported(),
                seconds,
                digests,
                false,
                Optional.empty(),
                List.of(),
                observer.deaths(),
                observer.redone(),
                OptionalDouble.empty(),
                observer.commits(),
                observer.faults().stream().map(InjectedFault::report).toList(),
                fleet.incarnations(seconds),
                wrong);
    }

    /** Returns the directory of the run. */
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        fleet.close();
        http.close();
    }
}
