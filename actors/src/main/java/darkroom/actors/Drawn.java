package darkroom.actors;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The images of one {@link DrawUnit}, in slot order. */
public record Drawn(List<Image> images) implements Result {
    public Drawn {
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
     * One drawn image.
     *
     * @param latent what is trained on, x0: FLOAT32 [channels, height, width]
     * @param pixels what is scored: UINT8 [height, width, 3]
     * @param trajectory all states of a stochastic sampler, FLOAT32 [steps + 1, channels, height, width]
     */
    public record Image(
            TensorRef latent, TensorRef pixels, @Nullable TensorRef trajectory) {

        /** What a trainer reads: the trajectory where there is one, else the latent. */
        TensorRef learned() {
            return trajectory == null ? latent : trajectory;
        }
    }

    /** The same images, their tensors replaced in the order of {@link #tensors}. */
    Drawn with(List<TensorRef> tensors) {
        Iterator<TensorRef> next = tensors.iterator();
        return new Drawn(images.stream()
                .map(image -> new Image(next.next(), next.next(), image.trajectory() == null ? null : next.next()))
                .toList());
    }
}
