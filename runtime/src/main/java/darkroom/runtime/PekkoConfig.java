package darkroom.runtime;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import darkroom.actors.WireVersion;
import darkroom.config.ClusterSettings;
import darkroom.config.HostPort;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.Address;

/** What actor systems are started with. */
final class PekkoConfig {
    private PekkoConfig() {}

    /** No cluster and no port. */
    static Config alone() {
        return read("pekko.conf");
    }

    /** A node of a cluster, reached at {@code cluster.host}; not yet joined to anything. */
    static Config node(ClusterSettings settings, List<String> roles) {
        return node(settings, roles, false);
    }

    /** @param faults whether its messages may be made to be lost */
    static Config node(ClusterSettings settings, List<String> roles, boolean faults) {
        Config own = ConfigFactory.parseMap(Map.of(
                "pekko.remote.artery.advanced.test-mode",
                faults,
                "pekko.remote.artery.canonical.hostname",
                HostPort.bracketed(settings.host()),
                "pekko.remote.artery.canonical.port",
                settings.port(),
                "pekko.cluster.roles",
                ConfigValueFactory.fromIterable(roles)));
        Config plain = ofVirtualMachine()
                .withFallback(own)
                .withFallback(WireVersion.settings(NodeCards.build()))
                .withFallback(read("cluster.conf"));
        return settings.tls().enabled() ? tls(settings.tls()).withFallback(plain) : plain;
    }

    /** How messages are addressed to a node: IPv6 in brackets. */
    static Address address(HostPort node) {
        return new Address("pekko", LocalStudio.SYSTEM, node.bracketed(), node.port());
    }

    /** Where the node of a message address is, for people and settings. */
    static HostPort address(Address node) {
        return new HostPort(node.getHost().orElseThrow(), node.getPort().orElseThrow());
    }

    /** Both ends show a certificate of the same authority. */
    private static Config tls(ClusterSettings.TlsSettings tls) {
        String engine = TlsEngines.ROTATING + ".";
        return ConfigFactory.parseMap(Map.of(
                "pekko.remote.artery.transport",
                "tls-tcp",
                "pekko.remote.artery.ssl.ssl-engine-provider",
                TlsEngines.class.getName(),
                engine + "key-file",
                tls.key(),
                engine + "cert-file",
                tls.certificate(),
                engine + "ca-cert-file",
                tls.authority()));
    }

    /** What the virtual machine was started with ({@code -Dpekko....}, {@code -Ddarkroom....}) is above all else. */
    private static Config ofVirtualMachine() {
        Config all = ConfigFactory.systemProperties();
        return all.withOnlyPath("pekko").withFallback(all.withOnlyPath("darkroom"));
    }

    private static Config read(String resource) {
        return ConfigFactory.parseResources(PekkoConfig.class, resource)
                .withFallback(ConfigFactory.load())
                .resolve();
    }
}
