package darkroom.gpuworkers.models;

import ai.djl.ndarray.types.Shape;
import java.util.List;

/** Shape of the latent of one image: what the solver steps and what is trained on. Of the embedded model it is the image. */
public record LatentShape(int channels, int height, int width) {

    /** Returns the number of values. */
    public int values() {
        return Math.multiplyExact(channels, Math.multiplyExact(height, width));
    }

    /** Returns [channels, height, width]. */
    public List<Integer> list() {
        return List.of(channels, height, width);
    }

    /** Returns [batch, channels, height, width]. */
    public Shape batch(int batch) {
        return new Shape(batch, channels, height, width);
    }
}
