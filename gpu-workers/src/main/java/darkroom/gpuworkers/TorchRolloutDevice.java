package darkroom.gpuworkers;

import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Device;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.numeric.RandomKey;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.torchscript.DeviceThread;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One core that generates images with the embedded DiT.
 *
 * <p>A group is one batch on any device, so that batch shapes never depend on membership (promise P-1). Weights are read from
 * the store, which verifies their checksum, before the first image of their version (promise P-6).
 */
public final class TorchRolloutDevice implements Device<RolloutUnit, RolloutResult> {
    private final EmbeddedPolicy policy;
    private final TensorStore store;
    private final DeviceThread thread;
    private final Map<Integer, DeviceSlot> deviceSlots = new HashMap<>();
    private final PromptInputs inputs;
    private final int values;

    public TorchRolloutDevice(String name, EmbeddedPolicy policy, TensorStore store) {
        this.policy = policy;
        this.store = store;
        this.thread = new DeviceThread(name);
        this.inputs = new PromptInputs(store, policy.shape().resolution());
        this.values = policy.shape().imageValues();
    }

    @Override
    public CompletionStage<RolloutResult> perform(RolloutUnit unit) {
        return thread.run(() -> rollout(unit));
    }

    @Override
    public void close() {
        thread.closeAfter(() -> deviceSlots.values().forEach(DeviceSlot::close));
    }

    private RolloutResult rollout(RolloutUnit unit) {
        DeviceSlot deviceSlot = deviceSlots.computeIfAbsent(
                unit.slots(),
                slots -> new DeviceSlot(new DitSampler(
                        policy.shape(), slots, policy.rollout().precision().isBf16())));
        deviceSlot.serve(unit.weights());
        DitSampler sampler = deviceSlot.sampler;
        for (int slot = 0; slot < unit.slots(); slot++) {
            inputs.write(unit.prompt(), slot, sampler.source(), sampler.reference(), sampler.tokens());
            RandomKey.of(unit.seed(), EmbeddedPolicy.noise(unit.purpose()), unit.step(), unit.group(), slot)
                    .normals(row(sampler.noise().bytes(), slot));
        }
        int steps = policy.sigmas(unit.purpose()).length - 1;
        if (!policy.stochastic(unit.purpose())) {
            float[] latents = new float[unit.slots() * values];
            sampler.rollout(policy.steps(unit.purpose()), MemorySegment.ofArray(latents));
            return keep(unit, List.of(MemorySegment.ofArray(latents)));
        }
        List<MemorySegment> states = new ArrayList<>();
        for (int i = 0; i <= steps; i++) {
            states.add(MemorySegment.ofArray(new float[unit.slots() * values]));
        }
        double[] sigmas = policy.sigmas(unit.purpose());
        SdeStep[] sde = new SdeStep[steps];
        for (int i = 0; i < steps; i++) {
            sde[i] = SdeStep.of(policy.rollout().sdeNoise(), sigmas, i);
        }
        sampler.rolloutStochastic(
                sde,
                sigmas,
                (step, noise) -> {
                    for (int slot = 0; slot < unit.slots(); slot++) {
                        RandomKey.of(unit.seed(), RandomKey.Purpose.SDE_NOISE, unit.step(), unit.group(), slot)
                                .atOrdinal(step)
                                .normals(row(noise, slot));
                    }
                },
                states);
        return keep(unit, states);
    }

    /** @param states of all slots, one segment per solver state; only the last where the solver is deterministic */
    private RolloutResult keep(RolloutUnit unit, List<MemorySegment> states) {
        int side = policy.shape().resolution();
        List<RolloutResult.Image> images = new ArrayList<>();
        List<TensorRef> made = new ArrayList<>();
        try {
            for (int slot = 0; slot < unit.slots(); slot++) {
                int row = slot;
                MemorySegment last = row(states.getLast(), slot);
                TensorRef latent = store.put(ElementType.FLOAT32, List.of(3, side, side), to -> to.copyFrom(last));
                made.add(latent);
                float[] planar = last.toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
                RgbImage image = RgbImage.fromPlanar(planar, 0, side, side);
                TensorRef pixels = store.put(
                        ElementType.UINT8,
                        List.of(side, side, 3),
                        to -> to.copyFrom(MemorySegment.ofArray(image.rgb())));
                made.add(pixels);
                TensorRef trajectory = null;
                if (states.size() > 1) {
                    trajectory = store.put(ElementType.FLOAT32, List.of(states.size(), 3, side, side), to -> {
                        for (int i = 0; i < states.size(); i++) {
                            MemorySegment state = row(states.get(i), row);
                            to.asSlice(i * state.byteSize(), state.byteSize()).copyFrom(state);
                        }
                    });
                    made.add(trajectory);
                }
                images.add(new RolloutResult.Image(latent, pixels, trajectory));
            }
            return new RolloutResult(images);
        } catch (RuntimeException e) {
            made.forEach(store::release);
            throw e;
        }
    }

    private MemorySegment row(MemorySegment batch, int slot) {
        long bytes = (long) values * Float.BYTES;
        return batch.asSlice(slot * bytes, bytes);
    }

    /** A sampler of one batch size, and the version of its weights. */
    private final class DeviceSlot {
        private final DitSampler sampler;
        private final @Nullable Merger merger;
        private @Nullable TensorRef served;

        DeviceSlot(DitSampler sampler) {
            this.sampler = sampler;
            this.merger = policy.lora().isLora() ? new Merger() : null;
        }

        void serve(TensorRef weights) {
            if (weights.equals(served)) {
                return;
            }
            served = null;
            if (merger == null) {
                sampler.serve(store.read(weights));
            } else {
                merger.merge(weights, sampler);
            }
            served = weights;
        }

        void close() {
            sampler.close();
            if (merger != null) {
                merger.close();
            }
        }
    }

    /** Adds adapters to the base. */
    private final class Merger {
        private final TorchModule module = new TorchModule(policy.lora().script());
        private final NDManager owned = module.scope();
        private final TensorBuffer base =
                TensorBuffer.floats(owned, policy.weights().flat().length);
        private final TensorBuffer adapters =
                TensorBuffer.floats(owned, policy.lora().trained().size());

        Merger() {
            base.floats(0, policy.weights().flat());
            owned.cap();
        }

        void merge(TensorRef weights, DitSampler sampler) {
            adapters.copy(store.read(weights));
            try (NDManager scope = module.scope()) {
                sampler.serve(TensorBuffer.of(module.call(scope, "weights", base.array(), adapters.array())
                                .get(0))
                        .bytes());
            }
        }

        void close() {
            owned.close();
            module.close();
        }
    }
}
