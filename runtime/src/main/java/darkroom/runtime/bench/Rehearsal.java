package darkroom.runtime.bench;

import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.DevicePool;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.run.CheckpointWriter;
import darkroom.runtime.run.DataSplits;
import darkroom.runtime.run.DevicePools;
import darkroom.runtime.run.LearnerTensors;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.OpenPrompts;
import darkroom.runtime.run.PolicyModels;
import darkroom.runtime.run.RowPrompts;
import darkroom.runtime.run.RunEnvironment;
import darkroom.runtime.run.RunListeners;
import darkroom.runtime.run.Scorers;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A run without files and measurements, for benchmarks: with the embedded model or virtual devices, as configured. */
public final class Rehearsal {
    private Rehearsal() {}

    /** A condition to wait for before the run begins. */
    @FunctionalInterface
    public interface Before {
        void await() throws InterruptedException;
    }

    /**
     * Runs to the end.
     *
     * @param listener receives all events, before the environment does
     * @throws CommandFailedException if the run fails
     */
    public static RunDigests run(RunSettings settings, RunListener listener, Before before, RunEnvironment environment)
            throws IOException, InterruptedException {
        return run(settings, listener, before, environment, false);
    }

    /** Runs with the checkpoints that a run writes, and in its ledger if there is one. */
    static RunDigests withCheckpoints(RunSettings settings, RunListener listener, RunEnvironment environment)
            throws IOException, InterruptedException {
        return run(settings, listener, () -> {}, environment, true);
    }

    private static RunDigests run(
            RunSettings settings, RunListener listener, Before before, RunEnvironment environment, boolean checkpoints)
            throws IOException, InterruptedException {
        return settings.workers().device() == WorkerSettings.Kind.VIRTUAL
                ? virtual(settings, listener, before, environment, checkpoints)
                : computing(Precisions.decided(settings), listener, before, environment, checkpoints);
    }

    private static RunDigests virtual(
            RunSettings settings, RunListener listener, Before before, RunEnvironment environment, boolean checkpoints)
            throws IOException, InterruptedException {
        TensorStore store = environment.plane().store();
        SimulatedDevices devices = new SimulatedDevices(store, DevicePools.VIRTUAL_PARAMETERS, Runnable::run);
        DevicePool devicePool = DevicePools.virtual(
                settings.workers().virtual(),
                environment.rolloutDevices(),
                environment.trainerDevices(),
                environment.scores() ? 1 : 0,
                environment.plane());
        RunPorts ports = new RunPorts(
                new VirtualPrompts(devices, store, settings.rollout().groupsPerStep()),
                StopWhen.NEVER,
                environment.plane(),
                RunListeners.of(listener, environment),
                InstantSource.system());
        return finished(
                settings,
                new Prepared(devicePool, ports, RunState.fresh(devices.learner(settings.seed())), checkpoints),
                before,
                environment);
    }

    private static RunDigests computing(
            RunSettings settings, RunListener listener, Before before, RunEnvironment environment, boolean checkpoints)
            throws IOException, InterruptedException {
        TensorStore store = environment.plane().store();
        PolicyModel policy = PolicyModels.open(settings);
        try (Scorers scorers =
                environment.scores() ? Scorers.open(settings.scoring()) : Scorers.elsewhere(settings.scoring())) {
            DevicePool devicePool = DevicePools.of(
                    settings,
                    policy,
                    environment.rolloutDevices(),
                    environment.trainerDevices(),
                    scorers.deviceSlots(store),
                    environment.plane());
            RunPorts ports = new RunPorts(
                    new RowPrompts(
                            DataSplits.of(settings, new PrintWriter(Writer.nullWriter()))
                                    .train(),
                            settings.seed(),
                            settings.rollout().groupsPerStep(),
                            new OpenPrompts(store)),
                    StopWhen.NEVER,
                    environment.plane(),
                    RunListeners.of(listener, environment),
                    InstantSource.system());
            RunState from = RunState.fresh(LearnerTensors.fresh(policy.initial(settings.seed()), store));
            return finished(settings, new Prepared(devicePool, ports, from, checkpoints), before, environment);
        }
    }

    /**
     * Parts of a rehearsal.
     *
     * @param from state that it begins from
     * @param checkpoints whether checkpoints are written
     */
    private record Prepared(DevicePool devicePool, RunPorts ports, RunState from, boolean checkpoints) {}

    private static RunDigests finished(
            RunSettings settings, Prepared prepared, Before before, RunEnvironment environment)
            throws IOException, InterruptedException {
        RunPorts ports = prepared.ports();
        Path directory = Files.createTempDirectory("darkroom-rehearsal");
        try (RunJournal journal = RunJournal.open(settings.ledger(), directory, System.getenv());
                LocalActorSystem guardian = new LocalActorSystem(
                        settings,
                        prepared.devicePool(),
                        prepared.checkpoints()
                                ? recorded(settings, ports, journal, directory)
                                : ports.with(journal.ledger(() -> {}), List::of),
                        environment,
                        journal.pekko())) {
            before.await();
            RunEvent.Ended ended =
                    guardian.run(new RunOrder(LocalRun.RUN, prepared.from(), settings.steps(), Optional.empty()));
            if (ended.end() instanceof RunEvent.End.Failed(String message)) {
                throw new CommandFailedException(message);
            }
            return RunDigests.of(ports.store(), ended.state());
        } finally {
            ProcessCluster.remove(directory);
        }
    }

    private static RunPorts recorded(RunSettings settings, RunPorts ports, RunJournal journal, Path directory) {
        CheckpointWriter writer = new CheckpointWriter(
                settings,
                ports.store(),
                new CheckpointWriter.Target(CheckpointWriter.in(directory), Optional.empty(), () -> {}),
                CheckpointWriter.Start.NEW,
                CheckpointWriter.Measured.NONE);
        return ports.with(RunListeners.of(ports.listener(), writer)).with(journal.ledger(() -> {}), writer::written);
    }

    /** Prompts with placeholder pictures. */
    private record VirtualPrompts(SimulatedDevices devices, TensorStore store, int groupsPerStep)
            implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            List<Prompt> all = new ArrayList<>();
            for (int i = 0; i < groupsPerStep; i++) {
                all.add(devices.prompt("row-" + step + "-" + i));
            }
            return all;
        }

        @Override
        public void release(List<Prompt> prompts) {
            prompts.forEach(prompt -> store.release(prompt.source()));
        }
    }
}
