package darkroom.actors.device;

/** Version of the weights that generated an image: the number of steps committed before their release. Versions only grow. */
public record PolicyVersion(long value) implements Comparable<PolicyVersion> {
    @Override
    public int compareTo(PolicyVersion other) {
        return Long.compare(value, other.value);
    }
}
