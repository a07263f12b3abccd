package darkroom.config;

/**
 * The velocity model that is post-trained.
 *
 * @param model {@code embedded} for the shipped DiT, else the name of an external model such as {@code flux-kontext}
 * @param base initial weights: {@code mixed}, {@code clean}, or a path to a safetensors file
 * @param resolution side of the square images, in pixels
 * @param guidance guidance scale passed to models that embed one; 1 for models that do not
 */
public record PolicySettings(String model, String base, int resolution, double guidance) {
    public PolicySettings {
        Allowed.text("policy.model", model);
        Allowed.text("policy.base", base);
        Allowed.whole("policy.resolution", resolution, 1, 8192);
        Allowed.real("policy.guidance", guidance, 0, 100);
    }
}
