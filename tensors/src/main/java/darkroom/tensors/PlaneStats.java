package darkroom.tensors;

/**
 * Transfer counters and current holdings of a tensor plane.
 *
 * @param bytesIn tensor bytes received and taken
 * @param bytesOut tensor bytes sent; once for all receivers of a shared publication
 * @param transfers tensors on their way here, including those that wait
 * @param uploads tensors on their way to others, including those that wait
 * @param replicaBytes memory of other nodes' tensors, including those on their way
 * @param releases releases of other nodes' tensors that their homes have not answered yet
 */
public record PlaneStats(long bytesIn, long bytesOut, int transfers, int uploads, long replicaBytes, int releases) {
    PlaneStats withMore(long bytesRead) {
        return new PlaneStats(bytesIn + bytesRead, bytesOut, transfers, uploads, replicaBytes, releases);
    }
}
