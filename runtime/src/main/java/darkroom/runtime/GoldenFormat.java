package darkroom.runtime;

/** One kind of test vector file: an array of cases of the same shape. */
interface GoldenFormat extends AutoCloseable {
    /** The field that only cases of this format have. */
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
