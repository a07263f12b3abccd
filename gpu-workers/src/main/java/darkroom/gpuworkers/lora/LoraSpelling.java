package darkroom.gpuworkers.lora;

/** How a file of adapters names modules and factors, and where it keeps the scale. */
public enum LoraSpelling {
    /** {@code transformer.MODULE.lora_A.weight}; the scale is multiplied into B. Read by diffusers and PEFT. */
    DIFFUSERS,
    /**
     * {@code diffusion_model.MODULE.lora_down.weight} by the publisher's names, with {@code .alpha}. Modules that the publisher
     * fused are one module whose rank is the sum of theirs.
     */
    COMFYUI,
    /** As {@link #COMFYUI}, named {@code lora_unet_MODULE.lora_down.weight} with underscores: the form of kohya's scripts. */
    KOHYA
}
