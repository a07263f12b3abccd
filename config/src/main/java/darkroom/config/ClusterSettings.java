package darkroom.config;

import java.time.Duration;
import java.util.List;

/**
 * Settings by which the nodes of a run find and reach one another. They never affect a result (promise P-1).
 *
 * @param host address at which other nodes reach this one; loopback keeps everything on this machine
 * @param port TCP port for messages between nodes; 0 takes a free one
 * @param seedNodes {@link HostPort} of existing nodes; with several control nodes, all of them
 * @param discoveryName DNS name that resolves to the control nodes, instead of seed nodes; they listen on {@code port}
 * @param statusPort port of the status page on loopback; 0 takes a free one
 * @param nodeSilentAfter a node silent for this long is removed from the node registry; its tensors count as lost
 * @param controlSilentAfter how long the control node must be silent before a standby takes over
 * @param drainTime how long a leaving node waits for its results to be taken over
 */
public record ClusterSettings(
        String host,
        int port,
        List<String> seedNodes,
        String discoveryName,
        int statusPort,
        Duration nodeSilentAfter,
        Duration controlSilentAfter,
        Duration drainTime,
        TlsSettings tls,
        PlaneSettings tensorPlane) {
    public ClusterSettings {
        Allowed.text("cluster.host", host);
        Allowed.require(
                isAddress(HostPort.bracketed(host) + ":0"),
                "cluster.host",
                '"' + host + '"',
                "a name or an address of this machine, without a port, as in 10.0.0.2 or fd09::2");
        host = HostPort.plain(host);
        Allowed.whole("cluster.port", port, 0, 65_535);
        Allowed.whole("cluster.status-port", statusPort, 0, 65_535);
        Allowed.duration("cluster.node-silent-after", nodeSilentAfter);
        Allowed.duration("cluster.control-silent-after", controlSilentAfter);
        Allowed.duration("cluster.drain-time", drainTime);
        seedNodes = List.copyOf(seedNodes);
        for (String seed : seedNodes) {
            Allowed.require(
                    isAddress(seed),
                    "cluster.seed-nodes",
                    '"' + seed + '"',
                    "host:port, as in a:2551, 10.0.0.1:2551 or [fd09::1]:2551");
            Allowed.require(
                    Integer.parseInt(seed.substring(seed.lastIndexOf(':') + 1)) <= Allowed.PORT_MAX,
                    "cluster.seed-nodes",
                    '"' + seed + '"',
                    "ports up to 65535");
        }
        Allowed.require(
                discoveryName.isEmpty() || seedNodes.isEmpty(),
                "cluster.discovery-name",
                '"' + discoveryName + '"',
                "either a name or cluster.seed-nodes, not both");
        Allowed.require(
                discoveryName.isEmpty() || port != 0,
                "cluster.port",
                port,
                "with cluster.discovery-name: the port of the control nodes");
    }

    private static boolean isAddress(String text) {
        try {
            return !HostPort.parse(text).host().isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Returns these settings with a free port, for nodes that look for others on {@code port}. */
    public ClusterSettings onAnyPort() {
        return new ClusterSettings(
                host, 0, seedNodes, "", statusPort, nodeSilentAfter, controlSilentAfter, drainTime, tls, tensorPlane);
    }

    /**
     * Mutual TLS between nodes, for messages. Tensors travel by UDP in the clear: keep them on a private network.
     *
     * @param certificate PEM file of this node's certificate chain; empty leaves messages in the clear
     * @param key PEM file of its private key, PKCS#8
     * @param authority PEM file of the authority that issued every node's certificate
     */
    public record TlsSettings(String certificate, String key, String authority) {
        public TlsSettings {
            if (!(certificate.isEmpty() && key.isEmpty() && authority.isEmpty())) {
                required("cluster.tls.certificate", certificate);
                required("cluster.tls.key", key);
                required("cluster.tls.authority", authority);
            }
        }

        private static void required(String setting, String file) {
            Allowed.require(!file.isEmpty(), setting, "\"\"", "PEM files for all three of cluster.tls, or for none");
        }

        /** Whether messages between nodes are encrypted and both ends prove who they are. */
        public boolean enabled() {
            return !certificate.isEmpty();
        }
    }

    /**
     * Transport of tensors between nodes.
     *
     * @param transport shared memory where two nodes use the same media driver, else UDP; or only one of the two
     * @param driver {@code embedded}, or the directory of a running media driver
     * @param port UDP port; 0 takes a free one
     * @param transferTimeout deadline of one tensor
     * @param peerSilentAfter a peer that a transfer waits for is lost after being silent for this long
     * @param replicaBytesMax bytes of tensors of other nodes kept here
     * @param transfersMax concurrent transfers of tensors to this node; further ones wait
     */
    public record PlaneSettings(
            Transport transport,
            String driver,
            int port,
            Duration transferTimeout,
            Duration peerSilentAfter,
            long replicaBytesMax,
            int transfersMax) {
        public PlaneSettings {
            Allowed.text("cluster.tensor-plane.driver", driver);
            Allowed.whole("cluster.tensor-plane.port", port, 0, 65_535);
            Allowed.duration("cluster.tensor-plane.transfer-timeout", transferTimeout);
            Allowed.duration("cluster.tensor-plane.peer-silent-after", peerSilentAfter);
            Allowed.whole("cluster.tensor-plane.replica-bytes-max", replicaBytesMax, 1 << 20, Long.MAX_VALUE);
            Allowed.whole("cluster.tensor-plane.transfers-max", transfersMax, 1, 65_536);
        }
    }

    /** Medium that carries tensors. */
    public enum Transport {
        AUTO,
        IPC,
        UDP
    }
}
