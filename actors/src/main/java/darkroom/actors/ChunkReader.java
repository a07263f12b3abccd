package darkroom.actors;

import org.agrona.DirectBuffer;

/** Reads a tensor where it lies on its way: in the buffer that the network or another process has written. */
@FunctionalInterface
public interface ChunkReader {
    /**
     * Each byte of a tensor comes once, in order from some first byte to the end and then from the start to there. What is
     * read counts only after the stage has completed: the checksum is known last.
     *
     * @param offset of the chunk in the tensor
     * @param buffer holds the chunk until this returns, from {@code index} on, {@code length} bytes
     */
    void read(long offset, DirectBuffer buffer, int index, int length);
}
