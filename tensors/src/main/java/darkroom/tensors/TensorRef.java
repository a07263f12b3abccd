package darkroom.tensors;

import java.util.List;

/**
 * A reference to a tensor: its location, not its contents. Small enough for any mailbox; the bytes stay on {@code home}
 * (promise P-8).
 *
 * @param id unique within {@code home}
 * @param home name of the node whose store owns the bytes
 * @param type element type
 * @param shape sizes, outermost first
 * @param checksum CRC-32C of the bytes, checked by every reader (promise P-6)
 */
public record TensorRef(long id, String home, ElementType type, List<Integer> shape, long checksum) {
    public TensorRef {
        shape = List.copyOf(shape);
    }

    /** Returns the number of elements: the product of {@link #shape}. */
    public long elements() {
        long product = 1;
        for (int i = 0; i < shape.size(); i++) {
            product = Math.multiplyExact(product, shape.get(i));
        }
        return product;
    }

    /** Returns the size in bytes. */
    public long bytes() {
        return Math.multiplyExact(elements(), type.bytes());
    }

    /** Type of one element. Little endian. */
    public enum ElementType {
        FLOAT32(4),
        UINT8(1);

        private final int bytes;

        ElementType(int bytes) {
            this.bytes = bytes;
        }

        /** Returns the bytes per element. */
        public int bytes() {
            return bytes;
        }
    }
}
