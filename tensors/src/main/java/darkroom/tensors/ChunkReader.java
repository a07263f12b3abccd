package darkroom.tensors;

import org.agrona.DirectBuffer;

/** Reads a tensor in place while it arrives, in the buffer that the network or another process has written. */
@FunctionalInterface
public interface ChunkReader {
    /**
     * Reads one chunk. Each byte of a tensor is passed once, in order from some first byte to the end and then from the
     * start to that byte. Results count only after the stage has completed, since the checksum is known last.
     *
     * @param offset of the chunk in the tensor
     * @param buffer holds the chunk until this method returns, {@code length} bytes from {@code index} on
     */
    void read(long offset, DirectBuffer buffer, int index, int length);
}
