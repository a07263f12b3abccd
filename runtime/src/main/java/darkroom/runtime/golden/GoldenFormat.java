package darkroom.runtime.golden;

/** One kind of test vector file: an array of cases of the same shape. */
interface GoldenFormat extends AutoCloseable {
    /** Returns the field that only cases of this format have. */
    String mark();

    /**
     * Runs one case through production code.
     *
     * @throws GoldenCase.FormatException if the case is not of this format
     */
    void compare(GoldenCase golden, GoldenComparison comparison);

    @Override
    default void close() {}
}
