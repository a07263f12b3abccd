package darkroom.gpuworkers.models;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.tensors.TensorStore;

/**
 * The velocity model of one run: its trained parameters, and instances of it for devices. Immutable; safe for many threads.
 *
 * <p>Trained parameters are one flat FLOAT32 vector, whose meaning only the model knows: all weights of a small model, or the
 * adapters of a large one.
 */
public interface PolicyModel {
    /** Returns names, shapes and offsets of the trained parameters. */
    FlatLayout trained();

    /**
     * Returns the trained parameters with which a run begins.
     *
     * @param seed of the run
     */
    float[] initial(long seed);

    /**
     * Opens the model for rollouts; called on the device's thread, to which the instance is confined.
     *
     * @param store where source pictures of prompts are read
     * @param slots images of a group
     */
    RolloutModel rollout(TensorStore store, int slots);

    /**
     * Opens the model for training; called on the device's thread, to which the instance is confined.
     *
     * @param store where source pictures and images are read
     * @param advantageClip {@code groups.advantage-clip}, a factor of the adaptive loss
     */
    TrainerModel trainer(TensorStore store, double advantageClip);
}
