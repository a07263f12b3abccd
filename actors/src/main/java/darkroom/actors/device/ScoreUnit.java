package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.List;

/**
 * Scores one image. Its result is recorded and never requested again.
 *
 * @param pixels UINT8 [height, width, 3]
 */
public record ScoreUnit(ImageAddress address, Prompt prompt, TensorRef pixels) implements Unit {
    @Override
    public String run() {
        return address.run();
    }

    @Override
    public int step() {
        return address.step();
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(prompt.pictures());
        all.add(pixels);
        return all;
    }

    @Override
    public String name() {
        return "score %s step %d group %d slot %d"
                .formatted(address.run(), address.step(), address.group(), address.slot());
    }
}
