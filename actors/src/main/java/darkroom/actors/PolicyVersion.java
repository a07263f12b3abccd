package darkroom.actors;

/** Which weights drew an image: the number of steps committed before they were published. Versions only grow. */
public record PolicyVersion(long value) implements Comparable<PolicyVersion> {
    @Override
    public int compareTo(PolicyVersion other) {
        return Long.compare(value, other.value);
    }
}
