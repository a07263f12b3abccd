package darkroom.gpuworkers.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.lora.LoraAdapter;
import darkroom.gpuworkers.models.LatentShape;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** FLUX.1-Kontext for rollouts: a batch is one image. */
final class FluxRollout implements RolloutModel {
    private final FluxKontext model;
    private final FluxEncoder encoder;
    private final FluxTransformer transformer;
    private final LoraAdapter adapter;

    FluxRollout(FluxKontext model, TensorStore store) throws IOException {
        this.model = model;
        this.encoder = model.encoder(store);
        this.transformer = model.transformer(model.rollout().precision());
        this.adapter = new LoraAdapter(model.trained(), model.scale());
    }

    @SuppressWarnings("ArrayRecordComponent") // a carrier of noise levels, never compared
    private record Encoded(LatentShape latent, double[] sigmas, FluxTransformer.Conditions conditions)
            implements Conditions {}

    @Override
    public NDManager scope() {
        return transformer.scope();
    }

    @Override
    public int batch() {
        return 1;
    }

    @Override
    public void serve(MemorySegment parameters) {
        adapter.serve(parameters);
    }

    @Override
    public Conditions encode(NDManager scope, Prompt prompt, RolloutUnit.Purpose purpose) {
        FluxEncoder.Encoded encoded = encoder.encode(scope, prompt);
        Shape source = encoded.references().getFirst().getShape();
        LatentShape latent = new LatentShape((int) source.get(1), (int) source.get(2), (int) source.get(3));
        int steps =
                switch (purpose) {
                    case TRAINING -> model.rollout().solverSteps();
                    case EVALUATION -> model.evaluation().solverSteps();
                };
        return new Encoded(
                latent,
                model.sigmas(steps, latent.height() * latent.width() / 4),
                transformer.conditions(
                        scope,
                        latent.batch(1),
                        encoded.references(),
                        encoded.promptEmbeds(),
                        encoded.pooled(),
                        model.policy().guidance()));
    }

    @Override
    public NDArray velocity(NDManager scope, NDArray x, double sigma, Conditions conditions) {
        return transformer.velocity(
                scope, x, scope.create(new float[] {(float) sigma}), ((Encoded) conditions).conditions(), adapter);
    }

    @Override
    public RgbImage decode(MemorySegment latent, LatentShape shape) {
        return encoder.decode(latent, shape.batch(1));
    }

    @Override
    public void close() {
        adapter.close();
        transformer.close();
        encoder.close();
    }
}
