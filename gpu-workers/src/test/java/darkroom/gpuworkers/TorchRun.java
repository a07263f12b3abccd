package darkroom.gpuworkers;

import com.typesafe.config.ConfigFactory;
import darkroom.actors.device.Device;
import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.device.Unit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.numeric.RandomKey;
import darkroom.actors.run.RunGuardian;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.CheckpointSettings;
import darkroom.config.DataSettings;
import darkroom.config.EvaluationSettings;
import darkroom.config.GroupSettings;
import darkroom.config.InputSettings;
import darkroom.config.LimitSettings;
import darkroom.config.OptimizerSettings;
import darkroom.config.PolicySettings;
import darkroom.config.Precision;
import darkroom.config.Recipes;
import darkroom.config.RolloutSettings;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.tensors.LocalTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.zip.CRC32C;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Runs of a very small DiT on real devices, with a judge whose score depends on every bit of a pixel. */
final class TorchRun implements AutoCloseable {
    private static final int SIDE = 8;
    private static final int SECONDS_MAX = 120;
    private static final List<String> INSTRUCTIONS =
            List.of("make the balloon purple", "remove the car", "add a red balloon", "make the dog green");

    final RunSettings settings;
    final EmbeddedPolicy policy;
    final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 26);
    final List<RunDigests> digests = new CopyOnWriteArrayList<>();
    final List<RunEvent> heard = new CopyOnWriteArrayList<>();
    private final ActorSystem<RunGuardian.Command> system;

    TorchRun(RunSettings settings) {
        this.settings = settings;
        this.policy = new EmbeddedPolicy(tiny(), settings.rollout(), settings.evaluation(), settings.training());
        RunPorts ports = new RunPorts(
                new Prompts(), StopWhen.NEVER, new LocalTensorPlane(store), this::hear, InstantSource.system());
        this.system = ActorSystem.create(
                RunGuardian.create(settings, ports),
                "torch-run",
                ConfigFactory.parseString("pekko { loglevel = OFF, stdout-loglevel = OFF }")
                        .withFallback(ConfigFactory.load()));
    }

    static TrainingSettings training(TrainingSettings.Objective objective, int lora) {
        return training(objective, lora, 6);
    }

    static TrainingSettings training(TrainingSettings.Objective objective, int lora, int unitSamples) {
        return training(objective, lora, unitSamples, Precision.F32);
    }

    static TrainingSettings training(
            TrainingSettings.Objective objective, int lora, int unitSamples, Precision precision) {
        return new TrainingSettings(
                objective,
                TrainingSettings.Weighting.ADAPTIVE,
                1,
                1e-3,
                1e-2,
                2,
                2,
                unitSamples,
                precision,
                lora,
                4,
                new OptimizerSettings(1e-2, 0, 0.9, 0.999, 1e-8, 0.01, 1),
                switch (objective) {
                    case DIFFUSION_NFT -> TrainingSettings.OldPolicy.CONSTANT;
                    case FLOW_GRPO -> TrainingSettings.OldPolicy.ON_POLICY;
                },
                0.5,
                0.9);
    }

    static RunSettings settings(
            long seed, RolloutSettings.Solver solver, Precision precision, int staleness, TrainingSettings training) {
        RolloutSettings rollout =
                new RolloutSettings(3, 4, 3, RolloutSettings.Schedule.LINEAR, solver, 0.7, precision, staleness);
        return settings(seed, rollout, training);
    }

    /** Returns the same run with this number of gradient units per lease. */
    static RunSettings leasing(RunSettings run, int unitsPerLease) {
        WorkerSettings workers = run.workers();
        return new RunSettings(
                run.recipe(),
                run.seed(),
                run.steps(),
                run.policy(),
                run.data(),
                run.rollout(),
                run.scoring(),
                run.groups(),
                run.training(),
                run.evaluation(),
                run.checkpoints(),
                run.ledger(),
                new WorkerSettings(
                        workers.rolloutDevices(),
                        workers.trainerDevices(),
                        unitsPerLease,
                        workers.device(),
                        workers.virtual()),
                run.limits(),
                run.cluster(),
                run.faults(),
                run.inputs());
    }

    static RunSettings settings(long seed, RolloutSettings rollout, TrainingSettings training) {
        return new RunSettings(
                "torch",
                seed,
                3,
                new PolicySettings("embedded", "tiny", "", SIDE, 1, 128),
                new DataSettings("embedded", List.of(), 50, DataSettings.OnMalformed.STOP),
                rollout,
                Recipes.load(
                                "embedded-demo",
                                List.of("scoring.concurrency=2", "scoring.timeout=1s", "scoring.attempts=3"))
                        .scoring(),
                new GroupSettings(
                        false,
                        GroupSettings.Rule.OR,
                        GroupSettings.Spread.STD,
                        0.9,
                        0.05,
                        GroupSettings.Normaliser.GLOBAL,
                        1e-4,
                        5,
                        false,
                        2),
                training,
                new EvaluationSettings(4, 2, 2, 3, 0, 4),
                new CheckpointSettings(10, 2, ""),
                Recipes.load("embedded-demo", List.of()).ledger(),
                Recipes.load("embedded-demo", List.of()).workers(),
                new LimitSettings(
                        4,
                        Duration.ofMillis(500),
                        Duration.ofMillis(10),
                        200,
                        Duration.ofSeconds(60),
                        1 << 26,
                        Duration.ofSeconds(25)),
                Recipes.load("embedded-demo", List.of()).cluster(),
                Recipes.load("embedded-demo", List.of()).faults(),
                InputSettings.NONE);
    }

    /** Returns weights without zeros, so that every image and every gradient depends on all of them. */
    static DitWeights tiny() {
        DitShape shape = new DitShape(
                SIDE,
                4,
                16,
                1,
                2,
                InstructionVocabulary.LENGTH,
                InstructionVocabulary.embedded().size());
        float[] flat = InitialWeights.of(shape, 3);
        float[] noise = new float[flat.length];
        RandomKey.of(5, RandomKey.Purpose.INITIAL_WEIGHTS).normals(noise);
        for (int i = 0; i < flat.length; i++) {
            flat[i] += 0.1f * noise[i];
        }
        return new DitWeights(shape, flat, Map.of());
    }

    /** Crashes and faults that affect the unit a device slot begins with. */
    @FunctionalInterface
    interface Mishaps {
        Mishaps NONE = (_, _) -> FaultyDevice.Happening.WELL;

        FaultyDevice.Happening befalls(String deviceSlot, Unit unit);
    }

    void crash(String deviceSlot) {
        system.tell(new RunGuardian.Crash(deviceSlot));
    }

    TorchRun with(int rolloutDevices, int trainerDevices, Mishaps mishaps) {
        return with(rolloutDevices, trainerDevices, mishaps, TorchRun::hashed);
    }

    /** @param judge a score in [0, 1] of an image's pixels, UINT8 [side, side, 3] */
    TorchRun with(int rolloutDevices, int trainerDevices, Mishaps mishaps, ToDoubleFunction<byte[]> judge) {
        List<DeviceSlot<RolloutUnit, RolloutResult>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            String deviceSlot = "rollout-" + i;
            rollout.add(new DeviceSlot<>(
                    deviceSlot,
                    () -> beset(
                            deviceSlot, new TorchRolloutDevice(deviceSlot, policy, policy.rollout(), store), mishaps)));
        }
        List<DeviceSlot<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            String deviceSlot = "trainer-" + i;
            trainer.add(new DeviceSlot<>(
                    deviceSlot,
                    () -> beset(
                            deviceSlot,
                            new TorchTrainerDevice(
                                    deviceSlot,
                                    policy,
                                    policy.training(),
                                    settings.groups().advantageClip(),
                                    store),
                            mishaps)));
        }
        system.tell(new RunGuardian.Offer(
                "here",
                new DevicePool(rollout, List.of(new DeviceSlot<>("reward-0", () -> new PixelJudge(judge))), trainer)));
        return this;
    }

    private <U extends Unit, R extends Result> Device<U, R> beset(
            String deviceSlot, Device<U, R> device, Mishaps mishaps) {
        return new FaultyDevice<>(device, store, unit -> mishaps.befalls(deviceSlot, unit));
    }

    RunEvent.Ended run(int steps) {
        return run(RunState.fresh(learner(policy, store, settings.seed())), steps);
    }

    RunEvent.Ended run(RunState from, int steps) {
        RunOrder order = new RunOrder("run", from, steps, Optional.empty());
        CompletionStage<RunEvent.Ended> ended = AskPattern.ask(
                system,
                replyTo -> new RunGuardian.Start(order, replyTo),
                Duration.ofSeconds(SECONDS_MAX),
                system.scheduler());
        return ended.toCompletableFuture().join();
    }

    /** Returns the learner, in bytes, after one optimizer step on this number of gradient units of one sample each. */
    List<List<Byte>> learnedInBlocks(int units, int unitsPerLease) {
        LearnerState state = learner(policy, store, settings.seed());
        try (TorchTrainerDevice trainer = trainer()) {
            TrainUnit update =
                    new TrainUnit.UpdateUnit("run", 0, 0, state, gradients(trainer, state, units, unitsPerLease), true);
            return trainer.perform(update).toCompletableFuture().join().tensors().stream()
                    .map(this::bytes)
                    .toList();
        }
    }

    /** Returns the gradient of this number of samples, as one block. */
    float[] gradient(int samples) {
        try (TorchTrainerDevice trainer = trainer()) {
            LearnerState state = learner(policy, store, settings.seed());
            return store.read(gradients(trainer, state, samples, Integer.highestOneBit(samples) * 2)
                            .getFirst())
                    .toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private TorchTrainerDevice trainer() {
        return new TorchTrainerDevice("trainer", policy, policy.training(), 5, store);
    }

    private List<TensorRef> gradients(TorchTrainerDevice trainer, LearnerState state, int units, int unitsPerLease) {
        Prompt prompt = prompt(store, 1);
        RolloutUnit generate = new RolloutUnit(
                "run", 7, RolloutUnit.Purpose.TRAINING, 0, 0, 4, new PolicyVersion(0), state.old(), prompt);
        try (TorchRolloutDevice rollout = new TorchRolloutDevice("rollout", policy, policy.rollout(), store)) {
            RolloutResult generated =
                    rollout.perform(generate).toCompletableFuture().join();
            List<List<TrainUnit.Sample>> all = new ArrayList<>();
            for (int unit = 0; unit < units; unit++) {
                TrainingSample trainingSample = new TrainingSample(
                        0, unit % 4, prompt, generated.images().get(unit % 4), 0.07 * unit, 0.2 * unit - 1);
                all.add(List.of(new TrainUnit.Sample(trainingSample, unit % 3)));
            }
            List<TensorRef> gradients = new ArrayList<>();
            for (int first = 0; first < units; first += unitsPerLease) {
                TrainUnit block = new TrainUnit.GradientBlock(
                        "run",
                        7,
                        0,
                        0,
                        first,
                        state,
                        all.subList(first, Math.min(first + unitsPerLease, units)),
                        units);
                gradients.addAll(
                        trainer.perform(block).toCompletableFuture().join().tensors());
            }
            return gradients;
        }
    }

    private List<Byte> bytes(TensorRef ref) {
        List<Byte> bytes = new ArrayList<>();
        for (byte value : store.read(ref).toArray(ValueLayout.JAVA_BYTE)) {
            bytes.add(value);
        }
        return bytes;
    }

    static LearnerState learner(EmbeddedPolicy policy, OffHeapTensorStore store, long seed) {
        float[] initial = policy.initial(seed);
        float[] zeros = new float[initial.length];
        return new LearnerState(
                0, put(store, initial), put(store, zeros), put(store, zeros), put(store, initial), put(store, initial));
    }

    private static TensorRef put(OffHeapTensorStore store, float[] values) {
        return store.put(ElementType.FLOAT32, List.of(values.length), to -> to.copyFrom(MemorySegment.ofArray(values)));
    }

    private void hear(RunEvent event) {
        heard.add(event);
        if (event instanceof RunEvent.StepCommitted committed) {
            digests.add(RunDigests.of(store, committed.state()));
        }
    }

    /** Waits until the units of crashed workers are released by their devices. */
    boolean releasesAllBut(int tensors) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        while (store.tensorsHeld() != tensors && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        return store.tensorsHeld() == tensors;
    }

    static Prompt prompt(OffHeapTensorStore store, int row) {
        byte[] pixels = new byte[3 * SIDE * SIDE];
        double[] uniforms = RandomKey.of(row, RandomKey.Purpose.INITIAL_NOISE).uniforms(pixels.length);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (256 * uniforms[i]);
        }
        TensorRef source =
                store.put(ElementType.UINT8, List.of(SIDE, SIDE, 3), to -> to.copyFrom(MemorySegment.ofArray(pixels)));
        String instruction = INSTRUCTIONS.get(row % INSTRUCTIONS.size());
        return new Prompt("row-" + row, "Adjust", instruction, "", source, null);
    }

    private final class Prompts implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            List<Prompt> prompts = new ArrayList<>();
            for (int group = 0; group < settings.rollout().groupsPerStep(); group++) {
                prompts.add(prompt(store, 10 * step + group));
            }
            return prompts;
        }

        @Override
        public void release(List<Prompt> prompts) {
            prompts.forEach(prompt -> store.release(prompt.source()));
        }
    }

    /** Returns a score in steps of 1/16 that is a hash of the pixels. */
    private static double hashed(byte[] pixels) {
        CRC32C crc = new CRC32C();
        crc.update(pixels);
        return crc.getValue() % 17 / 16.0;
    }

    private final class PixelJudge implements Device<ScoreUnit, ScoreOutcome> {
        private final ToDoubleFunction<byte[]> judge;

        PixelJudge(ToDoubleFunction<byte[]> judge) {
            this.judge = judge;
        }

        @Override
        public CompletionStage<ScoreOutcome> perform(ScoreUnit unit) {
            byte[] pixels = store.read(unit.pixels()).toArray(ValueLayout.JAVA_BYTE);
            return CompletableFuture.completedFuture(
                    new ScoreOutcome.Scored(judge.applyAsDouble(pixels), 1, 1, "pixel judge"));
        }

        @Override
        public void close() {}
    }

    @Override
    public void close() {
        system.terminate();
        system.getWhenTerminated()
                .toCompletableFuture()
                .orTimeout(SECONDS_MAX, TimeUnit.SECONDS)
                .join();
    }
}
