package darkroom.runtime;

import darkroom.actors.Crew;
import darkroom.actors.Prompt;
import darkroom.actors.PromptBan;
import darkroom.actors.PromptSource;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.RunState;
import darkroom.actors.SimulatedDevices;
import darkroom.actors.StopWhen;
import darkroom.actors.TensorStore;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A run without files and measurements, for benchmarks: with the embedded model or with virtual devices, as its settings say. */
final class Rehearsal {
    private Rehearsal() {}

    /** Something to wait for before the run begins. */
    @FunctionalInterface
    interface Before {
        void await() throws InterruptedException;
    }

    /**
     * Runs to the end.
     *
     * @param listener hears of everything, before the ground
     * @throws CommandFailedException if the run fails
     */
    static RunDigests run(RunSettings settings, RunListener listener, Before before, Ground ground)
            throws IOException, InterruptedException {
        return run(settings, listener, before, ground, false);
    }

    /** The same with the checkpoints that a run writes, and in its ledger where they are. */
    static RunDigests withCheckpoints(RunSettings settings, RunListener listener, Ground ground)
            throws IOException, InterruptedException {
        return run(settings, listener, () -> {}, ground, true);
    }

    private static RunDigests run(
            RunSettings settings, RunListener listener, Before before, Ground ground, boolean checkpoints)
            throws IOException, InterruptedException {
        return settings.workers().device() == WorkerSettings.Kind.VIRTUAL
                ? virtual(settings, listener, before, ground, checkpoints)
                : computing(Precisions.decided(settings), listener, before, ground, checkpoints);
    }

    private static RunDigests virtual(
            RunSettings settings, RunListener listener, Before before, Ground ground, boolean checkpoints)
            throws IOException, InterruptedException {
        TensorStore store = ground.plane().store();
        SimulatedDevices devices = new SimulatedDevices(store, Crews.VIRTUAL_PARAMETERS, Runnable::run);
        Crew crew = Crews.virtual(
                settings.workers().virtual(),
                ground.rolloutDevices(),
                ground.trainerDevices(),
                ground.scores() ? 1 : 0,
                ground.plane());
        RunPorts ports = new RunPorts(
                new VirtualPrompts(devices, store, settings.rollout().groupsPerStep()),
                StopWhen.NEVER,
                ground.plane(),
                RunListeners.of(listener, ground),
                InstantSource.system());
        return finished(
                settings, crew, ports, RunState.fresh(devices.learner(settings.seed())), before, ground, checkpoints);
    }

    private static RunDigests computing(
            RunSettings settings, RunListener listener, Before before, Ground ground, boolean checkpoints)
            throws IOException, InterruptedException {
        TensorStore store = ground.plane().store();
        EmbeddedPolicy policy = new EmbeddedPolicy(
                DitWeights.base(settings.policy().base()),
                settings.rollout(),
                settings.evaluation(),
                settings.training());
        try (Scorers scorers =
                ground.scores() ? Scorers.open(settings.scoring()) : Scorers.elsewhere(settings.scoring())) {
            Crew crew = Crews.of(
                    settings,
                    policy,
                    ground.rolloutDevices(),
                    ground.trainerDevices(),
                    scorers.seats(store),
                    ground.plane());
            RunPorts ports = new RunPorts(
                    new RowPrompts(
                            DataSplits.of(settings, new PrintWriter(Writer.nullWriter()))
                                    .train(),
                            settings.seed(),
                            settings.rollout().groupsPerStep(),
                            new OpenPrompts(store)),
                    StopWhen.NEVER,
                    ground.plane(),
                    RunListeners.of(listener, ground),
                    InstantSource.system());
            RunState from = RunState.fresh(LocalRun.learner(policy.initial(settings.seed()), store));
            return finished(settings, crew, ports, from, before, ground, checkpoints);
        }
    }

    private static RunDigests finished(
            RunSettings settings,
            Crew crew,
            RunPorts ports,
            RunState from,
            Before before,
            Ground ground,
            boolean checkpoints)
            throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("darkroom-rehearsal");
        try (RunJournal journal = RunJournal.open(settings.ledger(), directory, System.getenv());
                LocalStudio studio = new LocalStudio(
                        settings,
                        crew,
                        checkpoints
                                ? recorded(settings, ports, journal, directory)
                                : ports.with(journal.ledger(() -> {}), List::of),
                        ground,
                        journal.pekko())) {
            before.await();
            RunEvent.Ended ended = studio.run(new RunOrder(LocalRun.RUN, from, settings.steps(), Optional.empty()));
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
                CheckpointWriter.in(directory),
                ports.store(),
                Map.of(),
                TreeMap::new,
                _ -> false,
                -1,
                () -> {},
                Optional.empty());
        return ports.with(RunListeners.of(ports.listener(), writer)).with(journal.ledger(() -> {}), writer::written);
    }

    /** Rows without pictures worth looking at. */
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
