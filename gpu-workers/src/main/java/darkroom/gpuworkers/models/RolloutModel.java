package darkroom.gpuworkers.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.edittasks.pictures.RgbImage;
import java.lang.foreign.MemorySegment;

/** A velocity model on one device, for rollouts. Thread-confined. */
public interface RolloutModel extends AutoCloseable {
    /** Returns a scope that frees its arrays when closed. */
    NDManager scope();

    /** Returns the number of images that are generated in one batch; a divisor of the slots of a group. */
    int batch();

    /** Uses these trained parameters from now on: FLOAT32 [parameters], copied. */
    void serve(MemorySegment parameters);

    /**
     * Encodes a prompt: its instruction and its pictures.
     *
     * @param scope owns what the conditions hold
     */
    Conditions encode(NDManager scope, Prompt prompt, RolloutUnit.Purpose purpose);

    /** The encoded prompt: the inputs of a velocity besides the latent and its noise level. */
    interface Conditions {
        /** Returns the shape of the latents that are generated. */
        LatentShape latent();

        /** Returns the noise levels of the solver, from 1 to 0, one more than solver steps. */
        double[] sigmas();
    }

    /**
     * Computes the velocity, v = noise - x0.
     *
     * @param x latents, FLOAT32 [batch, channels, height, width]
     * @param sigma noise level in [0, 1]
     * @param conditions from {@link #encode} of this model
     * @return FLOAT32, shaped as {@code x}
     */
    NDArray velocity(NDManager scope, NDArray x, double sigma, Conditions conditions);

    /**
     * Decodes one latent.
     *
     * @param latent FLOAT32 [channels, height, width]
     */
    RgbImage decode(MemorySegment latent, LatentShape shape);

    @Override
    void close();
}
