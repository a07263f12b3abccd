package darkroom.gpuworkers.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A tensor whose memory Java writes and reads in place: created once, refilled for every call, so that native memory stays
 * constant. Autograd does not see these writes: no call may be in flight while the bytes change.
 *
 * <p>Thread-confined. The bytes are freed when the manager that created the tensor closes.
 */
public final class TensorBuffer {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final NDArray array;
    private final MemorySegment bytes;

    private TensorBuffer(NDArray array) {
        this.array = array;
        this.bytes = MemorySegment.ofBuffer(array.toByteBuffer(true));
    }

    /** Creates a float32 tensor of zeros. */
    public static TensorBuffer floats(NDManager owner, long... shape) {
        return new TensorBuffer(owner.zeros(new Shape(shape), DataType.FLOAT32));
    }

    /** Creates an int64 tensor of zeros. */
    public static TensorBuffer longs(NDManager owner, long... shape) {
        return new TensorBuffer(owner.zeros(new Shape(shape), DataType.INT64));
    }

    /** Wraps the memory of {@code array}, which must be contiguous and outlive this object. */
    public static TensorBuffer of(NDArray array) {
        return new TensorBuffer(array);
    }

    public NDArray array() {
        return array;
    }

    /** Returns the live bytes, little endian. */
    public MemorySegment bytes() {
        return bytes;
    }

    /** Overwrites all bytes with those of {@code from}, which must have the same size. */
    public void copy(MemorySegment from) {
        if (from.byteSize() != bytes.byteSize()) {
            throw new IllegalArgumentException(
                    "a tensor of %d bytes cannot take %d bytes".formatted(bytes.byteSize(), from.byteSize()));
        }
        MemorySegment.copy(from, 0, bytes, 0, bytes.byteSize());
    }

    /** Writes float32 values from element {@code offset} on. */
    public void floats(long offset, float[] values) {
        MemorySegment.copy(values, 0, bytes, FLOAT, offset * Float.BYTES, values.length);
    }

    /** Writes one row of an int64 matrix. */
    public void longs(int row, int[] values) {
        for (int i = 0; i < values.length; i++) {
            bytes.setAtIndex(LONG, (long) row * values.length + i, values[i]);
        }
    }
}
