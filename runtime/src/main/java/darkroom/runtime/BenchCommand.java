package darkroom.runtime;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.TorchRolloutDevice;
import darkroom.gpuworkers.TorchTrainerDevice;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.bench.FaultBench;
import darkroom.runtime.bench.LoopBench;
import darkroom.runtime.bench.RecoveryBench;
import darkroom.runtime.bench.ScheduleBench;
import darkroom.runtime.bench.ScoringBench;
import darkroom.runtime.bench.TensorBench;
import darkroom.runtime.run.DataSplits;
import darkroom.runtime.run.LearnerTensors;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.OpenPrompts;
import darkroom.runtime.run.RowPrompts;
import darkroom.runtime.run.RunEnvironment;
import darkroom.runtime.run.Scorers;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures generation, training and data transfer on this machine. docs/benchmarks.md compares the results with other
 * programs.
 */
@Command(
        name = "bench",
        description = {
            "Measures generation, training and data transfer on this machine; prints JSON lines or a table.",
            "",
            "gpu-workers/bench/side_by_side.sh alternates 'bench compute' with the same mathematics in plain PyTorch."
        },
        synopsisSubcommandLabel = "(compute | step | loop | schedules | faults | recovery | tensors | scoring)",
        subcommands = {
            LoopBench.class,
            ScheduleBench.class,
            FaultBench.class,
            RecoveryBench.class,
            TensorBench.class,
            ScoringBench.class
        })
final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @Command(
            name = "compute",
            description = "One rollout device, then one trainer device, one thread each: images per second, median of"
                    + " repeats.")
    int compute(
            @Option(
                            names = "--repeats",
                            paramLabel = "N",
                            defaultValue = "7",
                            description = "Measurements. Default: ${DEFAULT-VALUE}")
                    int repeats,
            @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting; repeatable.")
                    List<String> set)
            throws IOException {
        RunSettings settings = Precisions.decided(Recipes.load("embedded-demo", set == null ? List.of() : set));
        EmbeddedPolicy policy = policy(settings);
        try (OffHeapTensorStore store =
                        new OffHeapTensorStore("local", settings.limits().tensorBytesMax());
                TorchRolloutDevice rollout = new TorchRolloutDevice("rollout-0", policy, settings.rollout(), store);
                TorchTrainerDevice trainer = new TorchTrainerDevice(
                        "trainer-0",
                        policy,
                        settings.training(),
                        settings.groups().advantageClip(),
                        store)) {
            OpenPrompts open = new OpenPrompts(store);
            Prompt prompt = open.open(
                    DataSplits.of(settings, spec.commandLine().getErr()).train().row(0));
            LearnerState learner = LearnerTensors.fresh(policy.initial(0), store);
            int slots = settings.rollout().imagesPerGroup();
            RolloutUnit generate = new RolloutUnit(
                    "bench", 0, RolloutUnit.Purpose.TRAINING, 0, 0, slots, new PolicyVersion(0), learner.old(), prompt);
            RolloutResult generated =
                    rollout.perform(generate).toCompletableFuture().join();
            double drawing = rate(repeats, 4 * slots, () -> {
                for (int i = 0; i < 4; i++) {
                    rollout.perform(generate)
                            .toCompletableFuture()
                            .join()
                            .tensors()
                            .forEach(store::release);
                }
            });
            int unitSamples = settings.training().unitSamples();
            List<TrainUnit.Sample> samples = new ArrayList<>();
            for (int i = 0; i < unitSamples; i++) {
                TrainingSample trainingSample = new TrainingSample(
                        0, i, prompt, generated.images().get(i % slots), (double) i / unitSamples, 0.5);
                samples.add(new TrainUnit.Sample(
                        trainingSample, i % settings.rollout().solverSteps()));
            }
            double training = rate(repeats, 4 * unitSamples, () -> {
                for (int i = 0; i < 4; i++) {
                    TrainUnit.GradientBlock unit =
                            new TrainUnit.GradientBlock("bench", 0, 0, i, 0, learner, List.of(samples), unitSamples);
                    Trained.Gradient gradient = (Trained.Gradient)
                            trainer.perform(unit).toCompletableFuture().join();
                    List<TensorRef> gradients = gradient.tensors();
                    trainer.perform(new TrainUnit.UpdateUnit("bench", 0, i, learner, gradients, true))
                            .toCompletableFuture()
                            .join()
                            .tensors()
                            .forEach(store::release);
                    gradients.forEach(store::release);
                }
            });
            ObjectNode figures = new JsonMapper().createObjectNode();
            figures.put("parameters", policy.weights().flat().length)
                    .put("threads", 1)
                    .put("rolloutPrecision", Precisions.label(settings.rollout().precision()))
                    .put("trainPrecision", Precisions.label(settings.training().precision()))
                    .put("rolloutImagesPerSecond", rounded(drawing))
                    .put("trainImagesPerSecond", rounded(training))
                    .put("stepImagesPerSecond", rounded(1 / (1 / drawing + 1 / training)));
            print(figures);
            return ExitCode.OK.code();
        }
    }

    @Command(
            name = "step",
            description =
                    "Whole training steps by the actor system with the judge: images per second, and the share of the"
                            + " processors kept busy.")
    int step(
            @Option(
                            names = "--steps",
                            paramLabel = "N",
                            defaultValue = "12",
                            description = "Steps measured, after two that warm up. Default: ${DEFAULT-VALUE}")
                    int steps,
            @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any setting; repeatable.")
                    List<String> set)
            throws IOException, InterruptedException {
        RunSettings settings = Precisions.decided(Recipes.load("embedded-demo", set == null ? List.of() : set));
        EmbeddedPolicy policy = policy(settings);
        StepClock clock = new StepClock();
        try (Scorers scorers = Scorers.open(settings.scoring());
                RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            TensorStore store = environment.plane().store();
            OpenPrompts open = new OpenPrompts(store);
            RowPrompts prompts = new RowPrompts(
                    DataSplits.of(settings, spec.commandLine().getErr()).train(),
                    0,
                    settings.rollout().groupsPerStep(),
                    open);
            RunPorts ports = new RunPorts(prompts, StopWhen.NEVER, environment.plane(), clock, InstantSource.system());
            try (LocalActorSystem guardian = new LocalActorSystem(settings, policy, scorers, ports, environment)) {
                RunState from = RunState.fresh(LearnerTensors.fresh(policy.initial(0), store));
                guardian.run(new RunOrder("bench", from, steps + StepClock.WARMUP, Optional.empty()));
            }
        }
        print(clock.figures(
                settings.rollout().groupsPerStep() * settings.rollout().imagesPerGroup()));
        return ExitCode.OK.code();
    }

    private static EmbeddedPolicy policy(RunSettings settings) throws IOException {
        return new EmbeddedPolicy(
                DitWeights.base(settings.policy().base()),
                settings.rollout(),
                settings.evaluation(),
                settings.training());
    }

    private static double rate(int repeats, int images, Runnable work) {
        work.run();
        double[] rates = new double[repeats];
        for (int i = 0; i < repeats; i++) {
            long began = System.nanoTime();
            work.run();
            rates[i] = images / ((System.nanoTime() - began) / 1e9);
        }
        return median(rates);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }

    private void print(ObjectNode figures) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(figures);
        out.flush();
    }

    /** Wall-clock time and processor time between commits. */
    private static final class StepClock implements RunListener {
        static final int WARMUP = 2;

        private final OperatingSystemMXBean machine =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        private final List<Double> seconds = new ArrayList<>();
        private final List<Double> busy = new ArrayList<>();
        private long lastWall = System.nanoTime();
        private long lastCpu = machine.getProcessCpuTime();

        @Override
        public void heard(RunEvent event) {
            if (event instanceof RunEvent.StepCommitted committed) {
                long wall = System.nanoTime();
                long cpu = machine.getProcessCpuTime();
                if (committed.step() >= WARMUP) {
                    seconds.add((wall - lastWall) / 1e9);
                    busy.add((double) (cpu - lastCpu)
                            / (wall - lastWall)
                            / Runtime.getRuntime().availableProcessors());
                }
                lastWall = wall;
                lastCpu = cpu;
            }
        }

        ObjectNode figures(int images) {
            double step =
                    median(seconds.stream().mapToDouble(Double::doubleValue).toArray());
            return new JsonMapper()
                    .createObjectNode()
                    .put("steps", seconds.size())
                    .put("stepSeconds", Math.round(step * 1000) / 1000.0)
                    .put("imagesPerSecond", rounded(images / step))
                    .put(
                            "processorsBusy",
                            Math.round(median(busy.stream()
                                                    .mapToDouble(Double::doubleValue)
                                                    .toArray())
                                            * 1000)
                                    / 1000.0);
        }
    }
}
