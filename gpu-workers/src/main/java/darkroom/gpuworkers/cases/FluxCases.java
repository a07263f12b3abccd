package darkroom.gpuworkers.cases;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.config.OptimizerSettings;
import darkroom.config.Precision;
import darkroom.config.TrainingSettings;
import darkroom.edittasks.pictures.PillowResize;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.AdamWReference;
import darkroom.gpuworkers.DeviceMath;
import darkroom.gpuworkers.NftLoss;
import darkroom.gpuworkers.SolverStep;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.flux.FlowMatchScheduler;
import darkroom.gpuworkers.flux.FluxConfig;
import darkroom.gpuworkers.flux.FluxModules;
import darkroom.gpuworkers.flux.FluxTransformer;
import darkroom.gpuworkers.flux.FluxTransformer.Conditions;
import darkroom.gpuworkers.lora.LoraAdapter;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.gpuworkers.pretrained.MappedWeights;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.text.FluxPromptEncoder;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.vae.AutoencoderKl;
import darkroom.gpuworkers.vae.KontextPictures;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Computes the cases of a FLUX.1-Kontext folder with the classes that generate and train.
 *
 * <p>Thread-confined. The kinds are those of the test vectors: {@code encode-text}, {@code vae-encode}, {@code vae-decode},
 * {@code resize}, {@code velocity}, {@code sigmas}, {@code trajectory}, {@code nft-gradient}, {@code adamw} and {@code edit}.
 */
final class FluxCases implements AutoCloseable {
    /** Blocks that a backward pass computes again together; any number gives the same gradients. */
    private static final int SEGMENT = 2;

    private final ModelFolder folder;
    private final FluxConfig config;
    private final FlowMatchScheduler scheduler;
    private final DeviceMath math = new DeviceMath(DeviceMath.Precision.FLOAT32);
    private @Nullable FluxTransformer f32;
    private @Nullable AutoencoderKl autoencoder;
    private @Nullable FluxPromptEncoder text;

    FluxCases(ModelFolder folder) throws IOException {
        this.folder = folder;
        this.config = FluxConfig.read(folder.file("transformer", "config.json"));
        this.scheduler = FlowMatchScheduler.read(folder.file("scheduler", "scheduler_config.json"));
    }

    /** Computes all outputs of a case. */
    CaseOutputs compute(ModelCase c) throws IOException {
        return switch (c.kind()) {
            case "velocity" -> velocity(c);
            case "sigmas" -> sigmas(c);
            case "trajectory" -> trajectory(c);
            case "nft-gradient" -> nftGradient(c);
            case "adamw" -> adamw(c);
            case "encode-text" -> encodeText(c);
            case "vae-encode" -> vaeEncode(c);
            case "vae-decode" -> vaeDecode(c);
            case "resize" -> resize(c);
            case "edit" -> edit(c);
            default -> throw new IOException("%s: kind \"%s\" is not known".formatted(c.file(), c.kind()));
        };
    }

    private CaseOutputs velocity(ModelCase c) throws IOException {
        boolean half = c.text("dtype").orElse("f32").equals("bf16");
        FluxTransformer model = half ? load(Precision.BF16) : f32();
        try (NDManager scope = model.scope();
                LoraAdapter adapter = adapter(c.text("adapter").orElse(""))) {
            NDArray noisy = c.array(scope, "noisy");
            return new CaseOutputs()
                    .put(
                            "velocity",
                            model.velocity(
                                    scope,
                                    noisy,
                                    c.array(scope, "sigma"),
                                    conditions(c, model, scope, noisy),
                                    adapter));
        } finally {
            if (half) {
                model.close();
            }
        }
    }

    private CaseOutputs encodeText(ModelCase c) throws IOException {
        FluxPromptEncoder encoder = text();
        try (NDManager scope = encoder.scope()) {
            FluxPromptEncoder.PromptEmbedding embedding =
                    encoder.encode(scope, c.text("prompt").orElseThrow(), (int) c.number("max_length"));
            return new CaseOutputs()
                    .put("prompt_embeds", embedding.promptEmbeds())
                    .put("pooled", embedding.pooled())
                    .put("ids.clip", List.of(1, embedding.clipIds().length), doubles(embedding.clipIds()))
                    .put("ids.t5", List.of(1, embedding.t5Ids().length), doubles(embedding.t5Ids()));
        }
    }

    private static double[] doubles(long[] values) {
        return LongStream.of(values).asDoubleStream().toArray();
    }

    private CaseOutputs vaeEncode(ModelCase c) throws IOException {
        AutoencoderKl model = autoencoder();
        try (NDManager scope = model.scope()) {
            return new CaseOutputs().put("latent", model.encode(scope, c.array(scope, "pixels")));
        }
    }

    private CaseOutputs vaeDecode(ModelCase c) throws IOException {
        AutoencoderKl model = autoencoder();
        try (NDManager scope = model.scope()) {
            return new CaseOutputs().put("pixels", model.decode(scope, c.array(scope, "latent")));
        }
    }

    private static CaseOutputs resize(ModelCase c) throws IOException {
        RgbImage resized = PillowResize.resized(
                picture(c, "pixels"), (int) c.number("width"), (int) c.number("height"), PillowResize.Filter.LANCZOS);
        return put(new CaseOutputs(), "resized", resized);
    }

    private static RgbImage picture(ModelCase c, String tensor) throws IOException {
        List<Integer> shape = c.tensor(tensor).shape();
        return RgbImage.owning(shape.get(1), shape.get(0), c.bytes(tensor));
    }

    private static CaseOutputs put(CaseOutputs outputs, String name, RgbImage picture) {
        byte[] rgb = picture.bytes();
        double[] values = new double[rgb.length];
        Arrays.setAll(values, i -> rgb[i] & 255);
        return outputs.put(name, List.of(picture.height(), picture.width(), 3), values);
    }

    /** A whole edit as the pipeline makes it, by Euler's method. */
    private CaseOutputs edit(ModelCase c) throws IOException {
        FluxTransformer model = f32();
        AutoencoderKl vae = autoencoder();
        FluxPromptEncoder encoder = text();
        RgbImage reference = KontextPictures.reference(
                picture(c, "picture"), c.parameter("auto_resize").booleanValue());
        try (NDManager scope = model.scope();
                LoraAdapter adapter = adapter(c.text("adapter").orElse(""))) {
            NDArray latent = vae.encode(
                    scope,
                    scope.create(
                            KontextPictures.pixels(reference), new Shape(1, 3, reference.height(), reference.width())));
            FluxPromptEncoder.PromptEmbedding embedding =
                    encoder.encode(scope, c.text("prompt").orElseThrow(), (int) c.number("max_length"));
            NDArray x = c.array(scope, "noise");
            Conditions conditions = model.conditions(
                    scope,
                    x.getShape(),
                    List.of(latent),
                    embedding.promptEmbeds(),
                    embedding.pooled(),
                    c.number("guidance"));
            int tokens = (int) (x.getShape().get(2) * x.getShape().get(3) / 4);
            Trajectory trajectory =
                    new Trajectory(model, conditions, adapter, scheduler.sigmas((int) c.number("steps"), tokens), true);
            NDArray last = trajectory.run(scope, x, new CaseOutputs());
            NDArray pixels = vae.decode(scope, last);
            return put(
                    new CaseOutputs().put("latent", last),
                    "edited",
                    KontextPictures.picture(
                            pixels.toFloatArray(), (int) pixels.getShape().get(3), (int)
                                    pixels.getShape().get(2)));
        }
    }

    private CaseOutputs sigmas(ModelCase c) throws IOException {
        float[] sigmas = scheduler.sigmas((int) c.number("steps"), (int) c.number("tokens"));
        double[] timesteps = new double[sigmas.length - 1];
        Arrays.setAll(timesteps, i -> 1000 * sigmas[i]);
        return new CaseOutputs()
                .put("sigmas", List.of(sigmas.length), OutputComparison.doubles(sigmas))
                .put("timesteps", List.of(timesteps.length), timesteps);
    }

    private CaseOutputs trajectory(ModelCase c) throws IOException {
        FluxTransformer model = f32();
        CaseOutputs outputs = new CaseOutputs();
        try (NDManager scope = model.scope();
                LoraAdapter adapter = adapter(c.text("adapter").orElse(""))) {
            NDArray x = c.array(scope, "noise");
            int tokens = (int) (x.getShape().get(2) * x.getShape().get(3) / 4);
            float[] sigmas = scheduler.sigmas((int) c.number("steps"), tokens);
            outputs.put("sigmas", List.of(sigmas.length), OutputComparison.doubles(sigmas));
            boolean euler = c.text("solver").orElse("").equals("euler");
            new Trajectory(model, conditions(c, model, scope, x), adapter, sigmas, euler).run(scope, x, outputs);
        }
        return outputs;
    }

    /** The states of a solver, in float32 from coefficients in float64. */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of noise levels, never compared
    private record Trajectory(
            FluxTransformer model, Conditions conditions, LoraAdapter adapter, float[] sigmas, boolean euler) {
        /** Runs from the noise, adds states and velocities to {@code outputs}, and returns the last state. */
        NDArray run(NDManager scope, NDArray noise, CaseOutputs outputs) {
            NDArray x = noise;
            SolverStep[] steps = euler
                    ? SolverStep.euler(OutputComparison.doubles(sigmas))
                    : SolverStep.dpm2(OutputComparison.doubles(sigmas));
            outputs.put("state.0", x);
            float[] state = x.toFloatArray();
            float[] previous = state.clone();
            for (int i = 0; i < steps.length; i++) {
                float[] time = new float[(int) x.getShape().get(0)];
                Arrays.fill(time, euler ? 1000 * sigmas[i] / 1000 : sigmas[i]);
                NDArray v = model.velocity(scope, x, scope.create(time), conditions, adapter);
                outputs.put("velocity." + i, v);
                float[] velocity = v.toFloatArray();
                float[] next = new float[state.length];
                float[] prediction = new float[state.length];
                for (int e = 0; e < state.length; e++) {
                    prediction[e] = (float) (state[e] - steps[i].sigma() * velocity[e]);
                    next[e] = (float) (state[e] * steps[i].state()
                            + velocity[e] * steps[i].velocity()
                            + previous[e] * steps[i].previousPrediction());
                }
                state = next;
                previous = prediction;
                x = scope.create(state, x.getShape());
                outputs.put("state." + (i + 1), x);
            }
            return x;
        }
    }

    private CaseOutputs nftGradient(ModelCase c) throws IOException {
        LoraFile theta = adapterFile(c.text("theta").orElseThrow());
        CaseOutputs outputs = new CaseOutputs();
        try (Objective objective = new Objective(c, theta)) {
            NftLoss.Evaluation loss = objective.evaluate();
            outputs.put("loss", List.of(1), loss.loss());
            int batch = loss.samples().size();
            outputs.put("loss.policy", List.of(batch), each(loss, NftLoss.Terms::policy));
            outputs.put("loss.positive", List.of(batch), each(loss, NftLoss.Terms::positive));
            outputs.put("loss.negative", List.of(batch), each(loss, NftLoss.Terms::negative));
            outputs.put("loss.divergence", List.of(batch), each(loss, NftLoss.Terms::kl));
            outputs.put("v_theta", objective.shape, objective.vTheta);
            outputs.put("v_old", objective.shape, objective.vOld);
            outputs.put("v_reference", objective.shape, objective.vReference);
            double[] gradient = objective.gradient(loss);
            put(outputs, "grad.transformer.", theta.layout(), gradient);
        }
        return outputs;
    }

    private static double[] each(NftLoss.Evaluation loss, ToDoubleFunction<NftLoss.Terms> term) {
        return loss.samples().stream().mapToDouble(term).toArray();
    }

    private static void put(CaseOutputs outputs, String prefix, FlatLayout layout, double[] flat) {
        layout.entries()
                .forEach((name, entry) -> outputs.put(
                        prefix + name,
                        entry.shape(),
                        Arrays.copyOfRange(flat, entry.offset(), entry.offset() + entry.size())));
    }

    private CaseOutputs adamw(ModelCase c) throws IOException {
        LoraFile theta = adapterFile(c.text("theta").orElseThrow());
        OptimizerSettings settings = new OptimizerSettings(
                c.number("learning_rate"),
                0,
                c.parameter("betas").get(0).asDouble(),
                c.parameter("betas").get(1).asDouble(),
                c.number("epsilon"),
                c.number("weight_decay"),
                c.number("clip"));
        int steps = (int) c.number("steps");
        CaseOutputs outputs = new CaseOutputs();
        AdamWReference state = AdamWReference.start(OutputComparison.doubles(theta.flat()));
        double[] losses = new double[steps];
        double[] norms = new double[steps];
        try (Objective objective = new Objective(c, theta)) {
            for (int step = 1; step <= steps; step++) {
                objective.serve(state.weights());
                NftLoss.Evaluation loss = objective.evaluate();
                losses[step - 1] = loss.loss();
                DeviceMath.OptimizerStep next = math.step(state, objective.gradient(loss), settings);
                norms[step - 1] = next.gradientNorm();
                state = next.state();
                if (step == 1 || step == steps) {
                    put(outputs, "after." + step + ".transformer.", theta.layout(), state.weights());
                }
            }
        }
        return outputs.put("losses", List.of(steps), losses).put("norms", List.of(steps), norms);
    }

    /** The NFT objective of one case: velocities of theta, the old policy and the base, the loss, and its gradient. */
    private final class Objective implements AutoCloseable {
        private final ModelCase c;
        private final FluxTransformer model = f32();
        private final NDManager scope = model.scope();
        private final LoraAdapter theta;
        private final NDArray x0;
        private final NDArray sigma;
        private final NDArray noisy;
        private final Conditions conditions;
        private final List<Integer> shape;
        private final double[] vOld;
        private final double[] vReference;
        private double[] vTheta = {};

        Objective(ModelCase c, LoraFile file) throws IOException {
            this.c = c;
            theta = adapter(file);
            x0 = c.array(scope, "x0");
            shape = CaseOutputs.shape(x0);
            sigma = c.array(scope, "sigma");
            NDArray noise = c.array(scope, "noise");
            NDArray t = sigma.reshape(shape.get(0), 1, 1, 1);
            noisy = x0.mul(t.neg().add(1)).add(noise.mul(t));
            conditions = conditions(c, model, scope, x0);
            try (LoraAdapter old = adapter(c.text("old").orElseThrow());
                    LoraAdapter none = LoraAdapter.none()) {
                vOld = velocity(old);
                vReference = velocity(none);
            }
        }

        void serve(double[] parameters) {
            float[] floats = new float[parameters.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (float) parameters[i];
            }
            theta.serve(MemorySegment.ofArray(floats));
        }

        NftLoss.Evaluation evaluate() throws IOException {
            vTheta = velocity(theta);
            NftLoss loss = new NftLoss(
                    TrainingSettings.Weighting.ADAPTIVE, c.number("beta"), c.number("scale"), c.number("kl"));
            double[] clean = c.tensor("x0").values();
            double[] noise = c.tensor("noise").values();
            double[] optimality = c.tensor("optimality").values();
            double[] levels = c.tensor("sigma").values();
            int batch = shape.get(0);
            int values = clean.length / batch;
            List<NftLoss.Sample> samples = new ArrayList<>();
            for (int b = 0; b < batch; b++) {
                samples.add(new NftLoss.Sample(
                        row(clean, b, values),
                        row(noise, b, values),
                        levels[b],
                        optimality[b],
                        true,
                        row(vOld, b, values),
                        row(vTheta, b, values),
                        row(vReference, b, values)));
            }
            return math.nft(loss, samples);
        }

        double[] gradient(NftLoss.Evaluation loss) {
            float[] cotangent = new float[vTheta.length];
            int values = vTheta.length / shape.get(0);
            for (int b = 0; b < shape.get(0); b++) {
                double[] row = loss.gradients().get(b);
                for (int i = 0; i < values; i++) {
                    cotangent[b * values + i] = (float) row[i];
                }
            }
            try (NDManager inner = model.scope()) {
                TensorBuffer gradient =
                        TensorBuffer.floats(inner, theta.layout().size());
                model.backward(noisy, sigma, conditions, theta, inner.create(cotangent, noisy.getShape()), gradient);
                return OutputComparison.doubles(gradient.array().toFloatArray());
            }
        }

        private double[] velocity(LoraAdapter adapter) {
            try (NDArray velocity = model.velocity(scope, noisy, sigma, conditions, adapter)) {
                return OutputComparison.doubles(velocity.toFloatArray());
            }
        }

        private static double[] row(double[] values, int row, int width) {
            return Arrays.copyOfRange(values, row * width, (row + 1) * width);
        }

        @Override
        public void close() {
            theta.close();
            scope.close();
        }
    }

    private Conditions conditions(ModelCase c, FluxTransformer model, NDManager scope, NDArray noisy)
            throws IOException {
        List<NDArray> references = new ArrayList<>();
        for (String reference : c.numbered("reference.")) {
            references.add(c.array(scope, reference));
        }
        return model.conditions(
                scope,
                noisy.getShape(),
                references,
                c.array(scope, "prompt_embeds"),
                c.array(scope, "pooled"),
                c.tensor("guidance").values()[0]);
    }

    private AutoencoderKl autoencoder() throws IOException {
        AutoencoderKl loaded = autoencoder == null ? AutoencoderKl.open(folder) : autoencoder;
        autoencoder = loaded;
        return loaded;
    }

    private FluxPromptEncoder text() throws IOException {
        FluxPromptEncoder loaded = text == null ? FluxPromptEncoder.open(folder, Precision.F32) : text;
        text = loaded;
        return loaded;
    }

    private FluxTransformer f32() throws IOException {
        FluxTransformer loaded = f32 == null ? load(Precision.F32) : f32;
        f32 = loaded;
        return loaded;
    }

    private FluxTransformer load(Precision precision) throws IOException {
        MappedWeights weights = MappedWeights.of(folder.weights("transformer"));
        return new FluxTransformer(config, precision.isBf16() ? weights.toBf16() : weights, SEGMENT);
    }

    private LoraAdapter adapter(String name) throws IOException {
        return name.isEmpty() ? LoraAdapter.none() : adapter(adapterFile(name));
    }

    private static LoraAdapter adapter(LoraFile file) {
        LoraAdapter adapter = new LoraAdapter(file.layout(), file.scale());
        adapter.serve(MemorySegment.ofArray(file.flat()));
        return adapter;
    }

    private LoraFile adapterFile(String name) throws IOException {
        return LoraFile.read(folder.root().resolve("adapters").resolve(Path.of(name)), FluxModules.adaptable(config));
    }

    @Override
    public void close() {
        if (f32 != null) {
            f32.close();
        }
        if (autoencoder != null) {
            autoencoder.close();
        }
        if (text != null) {
            text.close();
        }
        math.close();
    }
}
