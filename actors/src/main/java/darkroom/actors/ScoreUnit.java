package darkroom.actors;

/**
 * Scores one image. Its result is recorded and never asked for again.
 *
 * @param pixels UINT8 [height, width, 3]
 */
public record ScoreUnit(ImageAddress address, Prompt prompt, TensorRef pixels) implements Unit {
    @Override
    public String name() {
        return "score %s step %d group %d slot %d"
                .formatted(address.run(), address.step(), address.group(), address.slot());
    }
}
