package darkroom.config;

/**
 * The velocity model that is post-trained.
 *
 * @param model {@code embedded} for the shipped DiT, {@code flux-kontext}, or the name of a model that this build does not have
 * @param base initial weights of the embedded model: {@code mixed}, {@code clean}, or a path to a safetensors file
 * @param weights folder of a large model in the layout of diffusers; empty for the embedded model
 * @param resolution side of the square images, in pixels
 * @param guidance guidance scale passed to models that embed one; 1 for models that do not
 * @param promptTokens tokens of the text encoder for each instruction; longer ones are cut
 */
public record PolicySettings(
        String model, String base, String weights, int resolution, double guidance, int promptTokens) {
    /** Most tokens that the text encoders of published models are used with. */
    private static final int PROMPT_TOKENS_MAX = 512;

    public PolicySettings {
        Allowed.text("policy.model", model);
        Allowed.text("policy.base", base);
        Allowed.whole("policy.resolution", resolution, 1, 8192);
        Allowed.real("policy.guidance", guidance, 0, 100);
        Allowed.whole("policy.prompt-tokens", promptTokens, 2, PROMPT_TOKENS_MAX);
    }
}
