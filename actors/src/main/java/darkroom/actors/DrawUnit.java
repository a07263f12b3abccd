package darkroom.actors;

/**
 * Draws all images of one group in one fixed batch. Noise of slot k is keyed by (seed, step, group, k).
 *
 * @param seed run seed
 * @param slots K, images in the group
 * @param policy version of {@code weights}
 * @param weights flat parameters of the policy that draws, FLOAT32 [parameters]
 */
public record DrawUnit(
        String run, long seed, int step, int group, int slots, PolicyVersion policy, TensorRef weights, Prompt prompt)
        implements Unit {
    @Override
    public String name() {
        return "draw step %d group %d".formatted(step, group);
    }
}
