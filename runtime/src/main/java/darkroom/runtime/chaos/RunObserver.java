package darkroom.runtime.chaos;

import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.LineTail;
import darkroom.runtime.base.NodeName;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.cluster.FaultPort;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.report.Incident;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Observes the processes of a chaos run: commits and incidents from the files of the run, exit codes, and the effects
 * of faults that nodes have counted. Attributes each to the fault that explains it.
 */
final class RunObserver {
    private static final Logger LOG = LoggerFactory.getLogger(RunObserver.class);

    /** Exit code of a process that SIGKILL has ended. */
    static final int KILLED = 137;

    private static final Duration ASK_EVERY = Duration.ofMillis(250);

    /** Reactions that are seen later have another cause. */
    private static final Duration NOTICED_WITHIN = Duration.ofSeconds(10);

    private final ChaosLog log;
    private final HttpClient http;
    private final LineTail metrics;
    private final LineTail incidentLines;
    private final List<Incident> incidents = new ArrayList<>();
    private final List<Double> commits = new ArrayList<>();
    private final List<InjectedFault> faults = new ArrayList<>();
    private int deaths;
    private double began = Double.NaN;
    private double askedAt;
    private double controlFaultAt = Double.NEGATIVE_INFINITY;

    /** @param directory of the run */
    RunObserver(Path directory, HttpClient http, ChaosLog log) {
        this.http = http;
        this.log = log;
        this.metrics = new LineTail(new RunDirectory(directory).metrics());
        this.incidentLines = new LineTail(new RunDirectory(directory).incidents());
    }

    /** Reads what the run has written since the last call. */
    void read() throws IOException {
        var _ = metrics.more();
        while (commits.size() < metrics.count()) {
            double now = log.now();
            commits.add(now);
            faults.forEach(fault -> fault.recoveredAt(now));
        }
        List<String> more = incidentLines.more();
        int first = incidentLines.count() - more.size();
        for (int i = Math.max(0, incidents.size() - first); i < more.size(); i++) {
            Incident incident = JsonLines.JSON.readValue(more.get(i), Incident.class);
            incidents.add(incident);
            heard(incident);
        }
    }

    private void heard(Incident incident) {
        double at = log.now(); // of this process's own clock, as the times of faults are
        if (incident.kind() == Incident.Kind.NODE_JOINED
                && NodeName.parse(incident.who())
                        .filter(node -> node.roles().contains("rollout"))
                        .isPresent()
                && Double.isNaN(began)) {
            began = at;
        }
        for (InjectedFault fault : faults) {
            boolean seen =
                    switch (incident.kind()) {
                        case OPENED -> fault.node().isControl() && fault.kind().silences();
                        case NODE_LEFT, WORKER_LOST, LEASE_EXPIRED, WORK_FAILED, DEVICE_SLOT_FAILING, STALLED ->
                            NodeName.isOf(fault.pid(), incident.who());
                        case NODE_JOINED, NOBODY_THERE, MIXED_PROCESSORS, EVENTS_DROPPED -> false;
                    };
            if (seen && at < fault.at() + fault.lasts() + NOTICED_WITHIN.toSeconds()) {
                fault.detectedAt(at);
            }
        }
    }

    /** Records that a fault was injected into the node's process. */
    InjectedFault injected(FaultSchedule.Entry entry, ProcessFleet.Node node) {
        InjectedFault fault = new InjectedFault(faults.size() + 1, entry, node, log.now(), steps());
        faults.add(fault);
        if (node.isControl() && fault.kind().silences()) {
            controlFaultAt = log.now();
        }
        log.say("%s on %s (process %d), after step %d"
                .formatted(fault.order().text(), node.label(), fault.pid(), steps()));
        return fault;
    }

    /** Records the end of a process, and whether a fault explains it. */
    void ended(ProcessFleet.Node node, Process process) {
        int code = process.exitValue();
        boolean killed = false;
        boolean meant = false;
        for (InjectedFault fault : faults) {
            if (!fault.isOf(process)) {
                continue;
            }
            boolean kills = fault.explains(code);
            deaths += kills && !killed ? 1 : 0;
            killed |= kills;
            meant |= kills || fault.kind() == FaultKind.STOP || fault.kind() == FaultKind.DISK_FULL;
            if (kills && !fault.isWitnessed()) {
                fault.witnessed("exit code " + code);
            } else if (!fault.isWitnessed()) {
                fault.remark("the process ended before an effect was seen");
            }
        }
        log.say("%s (process %d) has ended, exit code %d%s"
                .formatted(node.label(), process.pid(), code, meant ? "" : ", by itself"));
    }

    /** Asks nodes, four times per second at most, how often their faults have had an effect. */
    void ask(List<ProcessFleet.Node> nodes) throws InterruptedException {
        if (log.now() - askedAt < ASK_EVERY.toMillis() / 1e3) {
            return;
        }
        askedAt = log.now();
        for (ProcessFleet.Node node : nodes) {
            boolean open =
                    faults.stream().anyMatch(fault -> fault.isIn(node) && fault.isOrdered() && mayHaveEffects(fault));
            if (open && node.isAlive() && !node.isStopped()) {
                ask(node);
            }
        }
    }

    private boolean mayHaveEffects(InjectedFault fault) {
        return !fault.isWitnessed() || log.now() - fault.at() < fault.lasts() + 1;
    }

    private void ask(ProcessFleet.Node node) throws InterruptedException {
        String page = StatusPage.ofProcess(node.pid()).orElse("");
        if (page.isEmpty()) {
            return;
        }
        try {
            for (NodeFaults.Seen seen : FaultPort.at(http, page).list()) {
                faults.stream().filter(fault -> fault.isIn(node)).forEach(fault -> fault.seen(seen));
            }
        } catch (IOException | CommandFailedException notNow) {
            LOG.debug("{} does not answer", node.label(), notNow);
            log.say("%s does not answer".formatted(node.label()));
        }
    }

    /** Whether a fault has asked the process to end. */
    boolean isAskedToEnd(Process process) {
        return faults.stream().anyMatch(fault -> fault.isOf(process) && fault.asksToEnd());
    }

    /** Whether a fault ends the node's process, which may not have ended yet. */
    boolean isEnding(ProcessFleet.Node node) {
        return faults.stream().anyMatch(fault -> fault.isIn(node) && fault.endsProcess());
    }

    /** Returns how many faults the node's process was asked to inject. */
    int ordered(ProcessFleet.Node node) {
        return (int) faults.stream()
                .filter(fault -> fault.isIn(node) && fault.isOrdered())
                .count();
    }

    /** Whether the control node has admitted the process, and it has not left since. */
    boolean isAdmitted(long pid) {
        boolean in = false;
        for (Incident incident : incidents) {
            if (NodeName.isOf(pid, incident.who())) {
                in = switch (incident.kind()) {
                    case NODE_JOINED -> true;
                    case NODE_LEFT -> false;
                    default -> in;
                };
            }
        }
        return in;
    }

    /** Whether a step was committed since the last fault that silenced a control node. */
    boolean hasControlRecovered() {
        return controlFaultAt == Double.NEGATIVE_INFINITY
                || lastCommit().orElse(Double.NEGATIVE_INFINITY) > controlFaultAt;
    }

    /** Whether a rollout node was admitted. */
    boolean hasBegun() {
        return !Double.isNaN(began);
    }

    /** Returns the time at which the first rollout node was admitted; NaN before. */
    double began() {
        return began;
    }

    /** Returns the number of committed steps. */
    int steps() {
        return commits.size();
    }

    /** Returns the time of the last commit. */
    OptionalDouble lastCommit() {
        return commits.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(commits.getLast());
    }

    /** Returns the times of the commits. */
    List<Double> commits() {
        return List.copyOf(commits);
    }

    /** Returns the injected faults, in order. */
    List<InjectedFault> faults() {
        return List.copyOf(faults);
    }

    /** Returns the number of processes that ended because of a fault. */
    int deaths() {
        return deaths;
    }

    /** Returns the number of units that were reassigned to another worker. */
    int redone() {
        return incidents.stream().mapToInt(Incident::units).sum();
    }
}
