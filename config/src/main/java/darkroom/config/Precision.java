package darkroom.config;

/**
 * The floating-point format of linear layers. Attention, norms, the residual stream, weights, gradients and optimizer state are
 * float32 in any case.
 */
public enum Precision {
    /** The faster one of the two on the processor that begins the run; decided once, then recorded with the run. */
    AUTO,
    F32,
    BF16;

    /** Returns this precision, or {@code decided} where this is {@link #AUTO}. */
    public Precision or(Precision decided) {
        return this == AUTO ? decided : this;
    }

    /**
     * Whether the format is bfloat16.
     *
     * @throws IllegalStateException if the precision is still undecided
     */
    public boolean isBf16() {
        return switch (this) {
            case AUTO -> throw new IllegalStateException("precision auto is not decided yet");
            case F32 -> false;
            case BF16 -> true;
        };
    }
}
