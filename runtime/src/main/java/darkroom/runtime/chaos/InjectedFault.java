package darkroom.runtime.chaos;

import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultOrder;
import darkroom.runtime.faults.NodeFaults;
import java.util.OptionalDouble;

/** A fault that was injected, and what was observed of it since. Times are seconds since the start of the run. */
final class InjectedFault {
    private final int id;
    private final FaultSchedule.Entry entry;
    private final ProcessFleet.Node node;
    private final Process process;
    private final double at;
    private final int step;
    private int portId;
    private String witness = "";
    private String remark = "";
    private OptionalDouble detected = OptionalDouble.empty();
    private OptionalDouble recovered = OptionalDouble.empty();

    /**
     * Creates a fault of the node's current process.
     *
     * @param at time of the fault
     * @param step steps committed by then
     */
    InjectedFault(int id, FaultSchedule.Entry entry, ProcessFleet.Node node, double at, int step) {
        this.id = id;
        this.entry = entry;
        this.node = node;
        this.process = node.process();
        this.at = at;
        this.step = step;
    }

    FaultOrder order() {
        return entry.planned().order();
    }

    FaultKind kind() {
        return order().kind();
    }

    boolean isByChance() {
        return entry.isByChance();
    }

    ProcessFleet.Node node() {
        return node;
    }

    long pid() {
        return process.pid();
    }

    boolean isOf(Process other) {
        return process == other;
    }

    /** Whether the node's process is the one that has the fault. */
    boolean isIn(ProcessFleet.Node other) {
        return other.isIn(process);
    }

    /** Returns its time in seconds. */
    double at() {
        return at;
    }

    /** Returns for how long it lasts, in seconds; 0 for a fault that happens once. */
    double lasts() {
        return order().forMillis() / 1e3;
    }

    /** Whether it asks the process to end gracefully. */
    boolean asksToEnd() {
        return kind() == FaultKind.TERM || kind() == FaultKind.LEAVE_STORM;
    }

    /** Whether it ends the process. */
    boolean endsProcess() {
        return switch (kind()) {
            case KILL, TERM, KILL_STORM, LEAVE_STORM, TORN_CHECKPOINT -> true;
            default -> false;
        };
    }

    /** Whether a process with this exit code has ended because of it. */
    boolean explains(int exitCode) {
        return switch (kind()) {
            case KILL, KILL_STORM, KILL_AT, TORN_CHECKPOINT -> exitCode == RunObserver.KILLED;
            case TERM, LEAVE_STORM -> true;
            default -> false;
        };
    }

    /** Records the fault's number at its node, which was asked to inject it. */
    void ordered(int numberAtNode) {
        portId = numberAtNode;
    }

    /** Whether a node was asked to inject it. */
    boolean isOrdered() {
        return portId > 0;
    }

    /** Records what its node has seen of it. */
    void seen(NodeFaults.Seen seen) {
        if (portId == seen.id() && seen.hits() > 0) {
            witness = seen.hits() + (seen.hits() == 1 ? " effect" : " effects");
        }
    }

    boolean isWitnessed() {
        return !witness.isEmpty();
    }

    /** Records evidence that it has happened. */
    void witnessed(String evidence) {
        witness = evidence;
    }

    String remark() {
        return remark;
    }

    /** Records why no evidence is possible. */
    void remark(String reason) {
        remark = reason;
    }

    /** Records the first time at which the control node noticed it. */
    void detectedAt(double time) {
        if (detected.isEmpty()) {
            detected = OptionalDouble.of(time - at);
        }
    }

    /** Records the first commit after it. */
    void recoveredAt(double time) {
        if (recovered.isEmpty()) {
            recovered = OptionalDouble.of(time - at);
        }
    }

    ChaosReport.Fault report() {
        return new ChaosReport.Fault(
                id,
                kind(),
                order().text(),
                node.label(),
                pid(),
                at,
                step,
                lasts(),
                witness,
                remark,
                detected,
                recovered);
    }
}
