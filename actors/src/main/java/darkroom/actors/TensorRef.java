package darkroom.actors;

import java.util.List;

/**
 * Where a tensor is, not what it holds. Small enough for any mailbox; the bytes stay on {@code home} (promise P-8).
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

    /** Number of elements: the product of {@link #shape}. */
    public long elements() {
        long product = 1;
        for (int i = 0; i < shape.size(); i++) {
            product = Math.multiplyExact(product, shape.get(i));
        }
        return product;
    }

    /** Size in bytes. */
    public long bytes() {
        return Math.multiplyExact(elements(), type.bytes());
    }

    /** What one element is. Little endian. */
    public enum ElementType {
        FLOAT32(4),
        UINT8(1);

        private final int bytes;

        ElementType(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes per element. */
        public int bytes() {
            return bytes;
        }
    }
}
