package darkroom.runtime.cluster;

import darkroom.config.ClusterSettings;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorPlaneSettings;
import java.nio.file.Path;
import java.util.Locale;
import org.agrona.concurrent.SystemNanoClock;

/** Opens the tensor plane of a node, as configured. */
final class TensorPlanes {
    /** Value of {@code cluster.tensor-plane.driver} for a driver in the node's own process. */
    static final String OWN_DRIVER = "embedded";

    private TensorPlanes() {}

    /**
     * Opens the plane.
     *
     * @param store the node's own; closed after the plane
     */
    static AeronTensorPlane open(String node, OffHeapTensorStore store, ClusterSettings cluster) {
        ClusterSettings.PlaneSettings wanted = cluster.tensorPlane();
        TensorPlaneSettings plain = TensorPlaneSettings.defaults(wanted.replicaBytesMax());
        TensorPlaneSettings settings = new TensorPlaneSettings(
                TensorPlaneSettings.Transport.valueOf(wanted.transport().name().toUpperCase(Locale.ROOT)),
                plain.driver(),
                cluster.host(),
                wanted.port(),
                plain.termBytes(),
                plain.chunkBytes(),
                plain.socketBytes(),
                wanted.transfersMax(),
                wanted.replicaBytesMax(),
                plain.shown(),
                wanted.transferTimeout(),
                wanted.peerSilentAfter());
        return AeronTensorPlane.open(
                node,
                store,
                wanted.driver().equals(OWN_DRIVER) ? settings : settings.with(Path.of(wanted.driver())),
                SystemNanoClock.INSTANCE);
    }
}
