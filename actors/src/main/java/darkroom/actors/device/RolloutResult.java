package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The images of one {@link RolloutUnit}, in slot order. */
public record RolloutResult(List<Image> images) implements Result {
    public RolloutResult {
        images = List.copyOf(images);
    }

    @Override
    public List<TensorRef> tensors() {
        List<TensorRef> all = new ArrayList<>();
        for (Image image : images) {
            all.add(image.latent());
            all.add(image.pixels());
            if (image.trajectory() != null) {
                all.add(image.trajectory());
            }
        }
        return all;
    }

    /**
     * One generated image.
     *
     * @param latent x0, used for training: FLOAT32 [channels, height, width]
     * @param pixels used for scoring: UINT8 [height, width, 3]
     * @param trajectory all states of a stochastic sampler, FLOAT32 [steps + 1, channels, height, width]
     */
    public record Image(
            TensorRef latent, TensorRef pixels, @Nullable TensorRef trajectory) {

        /** Returns the tensor that a trainer reads: the trajectory if present, else the latent. */
        public TensorRef learned() {
            return trajectory == null ? latent : trajectory;
        }
    }

    /** Returns the same images, their tensors replaced in the order of {@link #tensors}. */
    public RolloutResult with(List<TensorRef> tensors) {
        Iterator<TensorRef> next = tensors.iterator();
        return new RolloutResult(images.stream()
                .map(image -> new Image(next.next(), next.next(), image.trajectory() == null ? null : next.next()))
                .toList());
    }
}
