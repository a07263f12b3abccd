package darkroom.runtime.cluster;

import darkroom.config.ClusterSettings;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.tls.TlsFiles;
import darkroom.tensors.PlaneUnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A process that contributes its devices to a run.
 *
 * <p>It runs as a sequence of incarnations, each with its own actor system, tensor plane and name. An incarnation that
 * the cluster has declared gone (a process that was stopped for a minute and resumes) ends, and another one starts and
 * joins; the work of the old one is lost, and repeated by others.
 */
public final class WorkerNode implements AutoCloseable {
    private static final Duration BETWEEN_INCARNATIONS = Duration.ofSeconds(1);

    /** Maximum number of consecutive incarnations that end without having been admitted. */
    public static final int INCARNATIONS_IN_VAIN_MAX = 60;

    private final Contribution contribution;
    private final int incarnationsInVainMax;
    private final CompletableFuture<String> leave = new CompletableFuture<>();
    private final AtomicReference<@Nullable Incarnation> incarnation = new AtomicReference<>();

    /**
     * The devices and settings that the process contributes, the same in all its incarnations.
     *
     * @param own where to join and what to bind; all other settings come from the run
     * @param roles among rollout, trainer and reward
     * @param devices devices of each of the roles rollout and trainer
     * @param said receives lines for people
     */
    record Contribution(RunSettings own, List<String> roles, int devices, NodeFaults faults, Consumer<String> said) {
        Contribution {
            roles = List.copyOf(roles);
        }

        ClusterSettings cluster() {
            return own.cluster();
        }

        void say(String line) {
            said.accept(line);
        }

        /** Returns the number of devices of a role that has devices. */
        int devicesOf(String role) {
            return roles.contains(role) ? devices : 0;
        }
    }

    /**
     * Creates a node.
     *
     * @param own where to join and what to bind; all other settings come from the run
     * @param roles among rollout, trainer and reward
     * @param devices devices of each of the roles rollout and trainer
     * @param incarnationsInVainMax consecutive incarnations that may end without having been admitted
     * @param said receives lines for people
     */
    public WorkerNode(
            RunSettings own, List<String> roles, int devices, int incarnationsInVainMax, Consumer<String> said) {
        TlsFiles.require(own.cluster().tls(), Instant.now());
        this.incarnationsInVainMax = incarnationsInVainMax;
        this.contribution = new Contribution(own, roles, devices, NodeFaults.of(own.faults()), said);
    }

    /** Works until the run has ended or {@link #leave} was called. */
    public ExitCode run() throws InterruptedException {
        int inVain = 0;
        boolean lived = false;
        while (true) {
            try (Incarnation now = new Incarnation(contribution)) {
                lived = true;
                incarnation.set(now);
                if (leave.isDone()) {
                    contribution.say("left: " + leave.join());
                    return ExitCode.OK;
                }
                Incarnation.End end = now.live(leave::isDone);
                switch (end) {
                    case Incarnation.End.Left(String why) -> {
                        contribution.say("left: " + why);
                        return ExitCode.OK;
                    }
                    case Incarnation.End.Refused(String why) ->
                        throw new CommandFailedException("the cluster did not let this node in: " + why);
                    case Incarnation.End.GivenUp(String why) -> {
                        if (leave.isDone()) {
                            contribution.say("left: " + why);
                            return ExitCode.OK;
                        }
                        inVain = now.wasLetIn() ? 0 : inVain + 1;
                        if (inVain >= incarnationsInVainMax) {
                            throw new CommandFailedException("%s, %d times:%n  %s"
                                    .formatted(
                                            why,
                                            inVain,
                                            String.join(
                                                    System.lineSeparator() + "  ",
                                                    SeedProbe.look(
                                                            Incarnation.seeds(contribution.cluster()),
                                                            contribution.cluster()))));
                        }
                        contribution.say(why + "; beginning again");
                    }
                }
            } catch (PlaneUnavailableException e) {
                inVain++;
                if (!(lived || sharesDriver()) || inVain >= incarnationsInVainMax) {
                    throw new CommandFailedException(ErrorReason.of(e), e);
                }
                contribution.say(ErrorReason.of(e) + "; beginning again");
            } finally {
                incarnation.set(null);
            }
            if (!sleepUnlessLeaving()) {
                return ExitCode.OK;
            }
        }
    }

    /** Whether the media driver belongs to another process, and so may answer again after a silence. */
    private boolean sharesDriver() {
        return !contribution.cluster().tensorPlane().driver().equals(TensorPlanes.OWN_DRIVER);
    }

    private boolean sleepUnlessLeaving() throws InterruptedException {
        try {
            leave.get(BETWEEN_INCARNATIONS.toMillis(), TimeUnit.MILLISECONDS);
            return false;
        } catch (TimeoutException goesOn) {
            return true;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Finishes the work in progress, hands it over, and leaves. Returns at once. */
    public void leave(String why) {
        leave.complete(why);
        Incarnation now = incarnation.get();
        if (now != null) {
            now.leave(why);
        }
    }

    @Override
    public void close() {
        leave("closed");
    }
}
