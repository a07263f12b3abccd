package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Device;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.numeric.RandomKey;
import darkroom.config.RolloutSettings;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.models.LatentShape;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.gpuworkers.torchscript.DeviceThread;
import darkroom.gpuworkers.torchscript.TensorBuffer;
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
 * One core or GPU that generates images with the model of a run.
 *
 * <p>The batches of a group are the same on any device, so that batch shapes never depend on membership (promise P-1). Weights
 * are read from the store, which verifies their checksum, before the first image of their version (promise P-6).
 */
public final class TorchRolloutDevice implements Device<RolloutUnit, RolloutResult> {
    private final PolicyModel policy;
    private final RolloutSettings settings;
    private final TensorStore store;
    private final DeviceThread thread;
    private final Map<Integer, Served> models = new HashMap<>();
    private @Nullable ImageSolver solver;

    /** @param settings solver of the run */
    public TorchRolloutDevice(String name, PolicyModel policy, RolloutSettings settings, TensorStore store) {
        this.policy = policy;
        this.settings = settings;
        this.store = store;
        this.thread = new DeviceThread(name);
    }

    @Override
    public CompletionStage<RolloutResult> perform(RolloutUnit unit) {
        return thread.run(() -> rollout(unit));
    }

    @Override
    public void close() {
        thread.closeAfter(() -> {
            models.values().forEach(Served::close);
            if (solver != null) {
                solver.close();
            }
        });
    }

    private RolloutResult rollout(RolloutUnit unit) {
        Served served = models.computeIfAbsent(unit.slots(), slots -> new Served(policy.rollout(store, slots)));
        served.serve(unit.weights());
        ImageSolver own = solver == null ? new ImageSolver() : solver;
        solver = own;
        RolloutModel model = served.model;
        List<RolloutResult.Image> images = new ArrayList<>();
        List<TensorRef> made = new ArrayList<>();
        try (NDManager scope = model.scope()) {
            RolloutModel.Conditions conditions = model.encode(scope, unit.prompt(), unit.purpose());
            for (int first = 0; first < unit.slots(); first += model.batch()) {
                generate(new Batch(unit, first, model, conditions), own, images, made);
            }
            return new RolloutResult(images);
        } catch (RuntimeException e) {
            made.forEach(store::release);
            throw e;
        }
    }

    /** @param first first slot of the batch */
    private record Batch(RolloutUnit unit, int first, RolloutModel model, RolloutModel.Conditions conditions) {
        RandomKey key(RandomKey.Purpose purpose, int row) {
            return RandomKey.of(unit.seed(), purpose, unit.step(), unit.group(), first + row);
        }
    }

    private void generate(Batch batch, ImageSolver own, List<RolloutResult.Image> images, List<TensorRef> made) {
        RolloutModel model = batch.model();
        LatentShape latent = batch.conditions().latent();
        long bytes = (long) latent.values() * Float.BYTES;
        int rows = model.batch();
        try (NDManager scope = model.scope()) {
            TensorBuffer noise = TensorBuffer.floats(scope, latent.batch(rows).getShape());
            for (int row = 0; row < rows; row++) {
                batch.key(noise(batch.unit().purpose()), row)
                        .normals(noise.bytes().asSlice(row * bytes, bytes));
            }
            double[] sigmas = batch.conditions().sigmas();
            List<MemorySegment> states = new ArrayList<>();
            if (stochastic(batch.unit().purpose())) {
                SdeStep[] steps = new SdeStep[sigmas.length - 1];
                for (int i = 0; i < steps.length; i++) {
                    steps[i] = SdeStep.of(settings.sdeNoise(), sigmas, i);
                }
                for (int i = 0; i <= steps.length; i++) {
                    states.add(MemorySegment.ofArray(new float[rows * latent.values()]));
                }
                own.solve(
                        scope,
                        model,
                        batch.conditions(),
                        steps,
                        noise,
                        (step, to) -> {
                            for (int row = 0; row < rows; row++) {
                                batch.key(RandomKey.Purpose.SDE_NOISE, row)
                                        .atOrdinal(step)
                                        .normals(to.asSlice(row * bytes, bytes));
                            }
                        },
                        states);
            } else {
                NDArray x = own.solve(scope, model, batch.conditions(), steps(sigmas), noise.array());
                states.add(MemorySegment.ofArray(new float[rows * latent.values()]));
                ImageSolver.copy(x, states.getFirst());
            }
            for (int row = 0; row < rows; row++) {
                images.add(keep(model, latent, slices(states, row * bytes, bytes), made));
            }
        }
    }

    private static List<MemorySegment> slices(List<MemorySegment> states, long from, long bytes) {
        return states.stream().map(state -> state.asSlice(from, bytes)).toList();
    }

    /** @param states of one image, one segment per solver state; only the last where the solver is deterministic */
    private RolloutResult.Image keep(
            RolloutModel model, LatentShape shape, List<MemorySegment> states, List<TensorRef> made) {
        MemorySegment last = states.getLast();
        TensorRef latent = store.put(ElementType.FLOAT32, shape.list(), to -> to.copyFrom(last));
        made.add(latent);
        RgbImage image = model.decode(last, shape);
        TensorRef pixels = store.put(
                ElementType.UINT8,
                List.of(image.height(), image.width(), 3),
                to -> to.copyFrom(MemorySegment.ofArray(image.rgb())));
        made.add(pixels);
        TensorRef trajectory = null;
        if (states.size() > 1) {
            trajectory = store.put(
                    ElementType.FLOAT32,
                    List.of(states.size(), shape.channels(), shape.height(), shape.width()),
                    to -> {
                        for (int i = 0; i < states.size(); i++) {
                            MemorySegment state = states.get(i);
                            to.asSlice(i * state.byteSize(), state.byteSize()).copyFrom(state);
                        }
                    });
            made.add(trajectory);
        }
        return new RolloutResult.Image(latent, pixels, trajectory);
    }

    /** Evaluation rollouts are deterministic: the stochastic sampler is only for Flow-GRPO's training images. */
    private boolean stochastic(RolloutUnit.Purpose purpose) {
        return purpose == RolloutUnit.Purpose.TRAINING && settings.solver() == RolloutSettings.Solver.SDE;
    }

    private SolverStep[] steps(double[] sigmas) {
        return settings.solver() == RolloutSettings.Solver.EULER ? SolverStep.euler(sigmas) : SolverStep.dpm2(sigmas);
    }

    private static RandomKey.Purpose noise(RolloutUnit.Purpose purpose) {
        return switch (purpose) {
            case TRAINING -> RandomKey.Purpose.INITIAL_NOISE;
            case EVALUATION -> RandomKey.Purpose.EVALUATION_NOISE;
        };
    }

    /** A model, and the version of its weights. */
    private final class Served {
        private final RolloutModel model;
        private @Nullable TensorRef served;

        Served(RolloutModel model) {
            this.model = model;
        }

        void serve(TensorRef weights) {
            if (!weights.equals(served)) {
                served = null;
                model.serve(store.read(weights));
                served = weights;
            }
        }

        void close() {
            model.close();
        }
    }
}
