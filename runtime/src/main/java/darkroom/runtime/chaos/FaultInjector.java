package darkroom.runtime.chaos;

import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Poll;
import darkroom.runtime.chaos.ChaosPlan.Planned;
import darkroom.runtime.cluster.ControlHeartbeat;
import darkroom.runtime.cluster.FaultPort;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.FaultOrder;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the nodes that a fault can affect now, and causes it: by a signal, or by an order to the node. */
final class FaultInjector {
    private static final Logger LOG = LoggerFactory.getLogger(FaultInjector.class);
    private static final Duration STOPPED_WITHIN = Duration.ofMillis(100);
    private static final Duration LOOK_EVERY = Duration.ofMillis(5);

    private final ProcessFleet fleet;
    private final RunObserver observer;
    private final HttpClient http;
    private final ChaosLog log;
    private final RandomGenerator random;

    /** @param seed picks one among several processes that a fault may affect */
    FaultInjector(ProcessFleet fleet, RunObserver observer, HttpClient http, ChaosLog log, long seed) {
        this.fleet = fleet;
        this.observer = observer;
        this.http = http;
        this.log = log;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** Injects a fault; returns false if no process can be affected now. */
    boolean inject(FaultSchedule.Entry entry, Optional<ControlHeartbeat> heartbeat)
            throws IOException, InterruptedException {
        FaultOrder order = entry.planned().order();
        List<ProcessFleet.Node> candidates = candidates(entry, heartbeat);
        return switch (order.kind()) {
            case JOIN_STORM -> {
                for (int i = 0; i < Math.max(1, order.count()); i++) {
                    ProcessFleet.Node more = fleet.add(entry.planned().on());
                    observer.injected(entry, more).witnessed("process " + more.pid() + " is started");
                }
                yield true;
            }
            case LEAVE_STORM, KILL_STORM -> {
                if (candidates.isEmpty()) {
                    yield false;
                }
                for (ProcessFleet.Node node :
                        candidates.subList(0, Math.min(candidates.size(), Math.max(1, order.count())))) {
                    var _ = observer.injected(entry, node);
                    if (order.kind() == FaultKind.KILL_STORM) {
                        fleet.kill(node);
                    } else {
                        fleet.terminate(node);
                    }
                }
                yield true;
            }
            default -> !candidates.isEmpty() && inject(entry, candidates.get(random.nextInt(candidates.size())));
        };
    }

    private boolean inject(FaultSchedule.Entry entry, ProcessFleet.Node node) throws IOException, InterruptedException {
        FaultOrder order = entry.planned().order();
        switch (order.kind()) {
            case KILL -> {
                var _ = observer.injected(entry, node);
                fleet.kill(node);
            }
            case TERM -> {
                var _ = observer.injected(entry, node);
                fleet.terminate(node);
            }
            case STOP, PAUSE -> {
                InjectedFault fault = observer.injected(entry, node);
                fleet.stop(node, order.forMillis());
                if (isStopped(node.process())) {
                    fault.witnessed("the system says that it is stopped");
                }
            }
            default -> {
                return order(entry, node);
            }
        }
        return true;
    }

    /** Asks the node to cause the fault itself. */
    private boolean order(FaultSchedule.Entry entry, ProcessFleet.Node node) throws InterruptedException {
        FaultOrder order = entry.planned().order();
        Optional<String> page = StatusPage.ofProcess(node.pid());
        if (page.isEmpty()) {
            return false;
        }
        // No other client orders faults from this node. So its numbers are known, even if its answer is late.
        int id = 1 + observer.ordered(node);
        try {
            id = FaultPort.at(http, page.get()).inject(order);
        } catch (CommandFailedException notNow) {
            LOG.debug("{} does not take {}", node.label(), order.text(), notNow);
            return false; // it has died, or has no checkpoint to tear yet
        } catch (IOException late) {
            LOG.debug("{} has not confirmed {}", node.label(), order.text(), late);
            log.say("%s has not confirmed %s".formatted(node.label(), order.text())); // it may have died of it
        }
        observer.injected(entry, node).ordered(id);
        return true;
    }

    /**
     * Returns the nodes that a fault can affect: admitted and not stopped, except that random kills may hit any; of
     * control nodes the active one, after a commit since its last fault.
     */
    private List<ProcessFleet.Node> candidates(FaultSchedule.Entry entry, Optional<ControlHeartbeat> heartbeat) {
        Planned planned = entry.planned();
        FaultKind kind = planned.order().kind();
        boolean admittedOrNot = entry.isByChance() && (kind == FaultKind.KILL || kind == FaultKind.KILL_STORM);
        boolean joins =
                planned.order().moment().filter(FaultMoment.JOIN::equals).isPresent();
        List<ProcessFleet.Node> candidates = new ArrayList<>();
        for (ProcessFleet.Node node : fleet.nodes()) {
            boolean role = planned.on().equals(ChaosPlan.ANY) || planned.on().equals(node.role());
            if (!role || !node.isAlive() || node.isStopped() || observer.isEnding(node)) {
                continue;
            }
            boolean there = node.isControl()
                    ? heartbeat
                                    .filter(now -> now.pid() == node.pid() && !now.hasEnded())
                                    .isPresent()
                            && observer.hasControlRecovered()
                    : admittedOrNot || joins != observer.isAdmitted(node.pid());
            if (there) {
                candidates.add(node);
            }
        }
        return candidates;
    }

    private static boolean isStopped(Process process) throws InterruptedException {
        Path stat = Path.of("/proc", Long.toString(process.pid()), "stat");
        try {
            return Poll.until(LOOK_EVERY, STOPPED_WITHIN, () -> {
                String fields = Files.readString(stat, StandardCharsets.UTF_8);
                return fields.substring(fields.lastIndexOf(')') + 1).strip().startsWith("T");
            });
        } catch (IOException gone) {
            LOG.debug("process {} is gone", process.pid(), gone);
            return false;
        }
    }
}
