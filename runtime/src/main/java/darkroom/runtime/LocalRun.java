package darkroom.runtime;

import darkroom.actors.EvaluationRequest;
import darkroom.actors.LearnerState;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.RunState;
import darkroom.actors.StopWhen;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.actors.ValidationPlan;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.Checkpoints;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A run in one process, from settings to the report: measures the held-out rows, trains, measures them again.
 *
 * <p>An interrupt (Ctrl-C, SIGTERM) lets the step in work commit, writes a checkpoint, and says how to go on.
 */
final class LocalRun {
    /** Noise of all evaluations: held-out images before and after, of any run, are paired. */
    static final long EVALUATION_SEED = 77;

    static final int HELD_OUT_KEY = 0;
    private static final int VALIDATION_KEY = 1;
    private static final int INTERRUPT_SECONDS_MAX = 120;
    static final String SETTINGS = "settings.conf";
    private static final String RUN = "run";

    private final RunSettings settings;
    private final Path directory;
    private final boolean resumed;
    private final PrintWriter out;

    private LocalRun(RunSettings settings, Path directory, boolean resumed, PrintWriter out) {
        this.settings = settings;
        this.directory = directory;
        this.resumed = resumed;
        this.out = out;
    }

    /**
     * Starts a run in a directory that does not exist or is empty.
     *
     * @return how the process should end
     */
    static ExitCode start(RunSettings settings, Path directory, PrintWriter out)
            throws IOException, InterruptedException {
        requireModel(settings);
        if (Files.exists(directory)) {
            try (Stream<Path> there = Files.list(directory)) {
                if (there.findAny().isPresent()) {
                    throw new CommandFailedException(
                            "%s is not empty. Name another directory with --out, or go on with the run in it: darkroom train --resume %s"
                                    .formatted(directory, directory),
                            ExitCode.USAGE);
                }
            }
        }
        Files.createDirectories(directory);
        Files.writeString(directory.resolve(SETTINGS), Recipes.render(settings));
        return new LocalRun(settings, directory, false, out).run();
    }

    /**
     * Goes on with an interrupted run from its newest whole checkpoint, as if it had never stopped (promise P-7).
     *
     * @param overrides settings that do not decide the result: workers, limits, steps, endpoints of scorers
     */
    static ExitCode resume(Path directory, List<String> overrides, PrintWriter out)
            throws IOException, InterruptedException {
        RunSettings before = settingsOf(directory, List.of());
        RunSettings settings = settingsOf(directory, overrides);
        if (!Recipes.deciding(before).equals(Recipes.deciding(settings))) {
            throw new CommandFailedException(
                    "%s was computed with other settings than %s asks for; only workers, limits, checkpoints, evaluation, steps and scoring.endpoints may change"
                            .formatted(directory, overrides),
                    ExitCode.USAGE);
        }
        requireModel(settings);
        Files.writeString(directory.resolve(SETTINGS), Recipes.render(settings));
        return new LocalRun(settings, directory, true, out).run();
    }

    /** The resolved settings of a run. */
    static RunSettings settingsOf(Path run, List<String> overrides) {
        if (!Files.isRegularFile(run.resolve(SETTINGS))) {
            throw new CommandFailedException(
                    "%s has no %s: it is not the directory of a run".formatted(run, SETTINGS), ExitCode.USAGE);
        }
        return Recipes.load(run.resolve(SETTINGS).toString(), overrides);
    }

    /** Recipes of other models are valid; this build has only the embedded one. */
    static void requireModel(RunSettings settings) {
        if (!settings.policy().model().equals("embedded")) {
            throw new CommandFailedException(
                    "recipe %s needs policy.model=%s, which is not installed: this build computes policy.model=embedded. 'darkroom config show --recipe %s' shows the settings."
                            .formatted(settings.recipe(), settings.policy().model(), settings.recipe()),
                    ExitCode.USAGE);
        }
    }

    private ExitCode run() throws IOException, InterruptedException {
        DitWeights base = DitWeights.base(settings.policy().base());
        EmbeddedPolicy policy =
                new EmbeddedPolicy(base, settings.rollout(), settings.evaluation(), settings.training());
        try (Scorers scorers = Scorers.open(settings.scoring());
                OffHeapTensorStore store =
                        new OffHeapTensorStore("local", settings.limits().tensorBytesMax())) {
            Optional<Checkpoints.Loaded> loaded =
                    resumed ? CheckpointWriter.in(directory).loadNewest(store) : Optional.empty();
            loaded.ifPresent(this::requireSameSettings);
            return train(policy, scorers, store, loaded);
        }
    }

    private void requireSameSettings(Checkpoints.Loaded loaded) {
        if (!loaded.manifest().settingsDigest().equals(CheckpointWriter.settingsDigest(settings))) {
            throw new CommandFailedException("%s was made with other settings than those in %s"
                    .formatted(loaded.path(), directory.resolve(SETTINGS)));
        }
    }

    private ExitCode train(
            EmbeddedPolicy policy, Scorers scorers, OffHeapTensorStore store, Optional<Checkpoints.Loaded> loaded)
            throws IOException, InterruptedException {
        DataSplits data = DataSplits.of(settings);
        OpenPrompts open = new OpenPrompts(store);
        Meter meter = new Meter(open::row, store);
        RunState from = loaded.map(Checkpoints.Loaded::state)
                .orElseGet(() -> RunState.fresh(learner(policy.initial(settings.seed()), store)));
        Map<String, Long> counts = loaded.<Map<String, Long>>map(
                        found -> found.manifest().counts())
                .orElse(Map.of());
        SortedMap<Integer, Double> earlier =
                loaded.map(found -> found.manifest().validations()).orElseGet(TreeMap::new);
        Validations validations = new Validations(meter, earlier);
        List<Prompt> validated =
                open.open(data.validation().first(data.validation().size()));
        Optional<ValidationPlan> plan =
                validated.isEmpty() || settings.evaluation().everySteps() == 0
                        ? Optional.empty()
                        : Optional.of(new ValidationPlan(
                                settings.evaluation().everySteps(),
                                VALIDATION_KEY,
                                validated,
                                settings.evaluation().imagesPerTask()));
        CheckpointWriter checkpoints = new CheckpointWriter(
                settings,
                CheckpointWriter.in(directory),
                store,
                counts,
                validations::measures,
                step -> plan.isPresent() && step % plan.get().everySteps() == 0,
                loaded.map(found -> found.manifest().step()).orElse(-1));
        List<RunListener> listeners = List.of(validations, checkpoints, new Lines(meter));
        RunListener all = event -> listeners.forEach(listener -> listener.heard(event));
        StopWhen stall = new ValidationStall(settings.evaluation().patience(), validations::measures);
        StopWhen silent = new ScorersSilent();
        StopWhen stop = (committed, validation) ->
                silent.reason(committed, validation).or(() -> stall.reason(committed, validation));
        RunPorts ports = new RunPorts(
                new RowPrompts(data.train(), settings.seed(), settings.rollout().groupsPerStep(), open),
                stop,
                store,
                all,
                InstantSource.system());
        CountDownLatch finished = new CountDownLatch(1);
        try (LocalStudio studio = new LocalStudio(settings, policy, scorers, ports)) {
            Thread hook = new Thread(
                    () -> {
                        studio.finishStep();
                        try {
                            finished.await(INTERRUPT_SECONDS_MAX, TimeUnit.SECONDS);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    },
                    "interrupt");
            Runtime.getRuntime().addShutdownHook(hook);
            List<Prompt> heldOut = open.open(data.heldOut().first(data.heldOut().size()));
            if (from.step() == 0) {
                evaluate(studio, Evaluations.HELD_OUT_BEFORE, from.learner().average(), heldOut);
                reference(policy, studio, store, heldOut);
            }
            RunEvent.Ended ended = studio.run(new RunOrder(RUN, from, settings.steps(), plan));
            RunDigests digests = RunDigests.of(store, ended.state());
            if (!(ended.end() instanceof RunEvent.End.Failed)) {
                evaluate(
                        studio,
                        Evaluations.HELD_OUT_AFTER,
                        ended.state().learner().average(),
                        heldOut);
            }
            out.println(ended.end() + " " + digests);
            out.flush();
            return ExitCode.OK;
        } finally {
            finished.countDown();
        }
    }

    private void evaluate(LocalStudio studio, String name, TensorRef weights, List<Prompt> prompts)
            throws InterruptedException {
        if (!prompts.isEmpty()) {
            studio.evaluate(new EvaluationRequest(
                    name,
                    EVALUATION_SEED,
                    HELD_OUT_KEY,
                    new PolicyVersion(0),
                    weights,
                    prompts,
                    settings.evaluation().imagesPerTask()));
        }
    }

    /** What clean data alone would have given: drawn once, so that nobody is fooled by a poor start. */
    private void reference(EmbeddedPolicy policy, LocalStudio studio, TensorStore store, List<Prompt> prompts)
            throws IOException, InterruptedException {
        DitWeights clean = DitWeights.base("clean");
        if (policy.lora().isLora() || !clean.shape().equals(policy.weights().shape())) {
            return;
        }
        TensorRef weights = put(clean.flat(), store);
        try {
            evaluate(studio, Evaluations.CLEAN_REFERENCE, weights, prompts);
        } finally {
            store.release(weights);
        }
    }

    static LearnerState learner(float[] initial, TensorStore store) {
        float[] zeros = new float[initial.length];
        return new LearnerState(
                0, put(initial, store), put(zeros, store), put(zeros, store), put(initial, store), put(initial, store));
    }

    private static TensorRef put(float[] values, TensorStore store) {
        return store.put(
                TensorRef.ElementType.FLOAT32,
                List.of(values.length),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(values)));
    }

    private final class Lines implements RunListener {
        private final Meter meter;
        private final long began = System.nanoTime();

        Lines(Meter meter) {
            this.meter = meter;
        }

        @Override
        public void heard(RunEvent event) {
            double at = (System.nanoTime() - began) / 1e9;
            if (event instanceof RunEvent.StepCommitted c) {
                out.printf(
                        "%6.1fs step %d reward %.4f std %.4f tally %s loss %s t %s%n",
                        at,
                        c.step(),
                        c.statistics().mean().orElse(Double.NaN),
                        c.statistics().globalStd(),
                        c.tally(),
                        c.passes().get(0),
                        c.timings());
            }
            if (event instanceof RunEvent.Evaluated e) {
                out.printf(
                        "%6.1fs %s %s%n",
                        at, e.request().name(), meter.measure(e).overall());
            }
            out.flush();
        }
    }
}
