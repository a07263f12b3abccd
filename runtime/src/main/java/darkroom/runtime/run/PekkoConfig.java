package darkroom.runtime.run;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import darkroom.actors.wire.WireVersion;
import darkroom.config.ClusterSettings;
import darkroom.config.HostPort;
import darkroom.runtime.base.Program;
import darkroom.runtime.tls.TlsEngines;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.Address;

/** Configuration of actor systems. */
public final class PekkoConfig {
    private PekkoConfig() {}

    /** Returns the configuration without a cluster and without a port. */
    public static Config alone() {
        return read("pekko.conf");
    }

    /** Returns the configuration of a cluster node, reached at {@code cluster.host}, that has not joined yet. */
    static Config node(ClusterSettings settings, List<String> roles) {
        return node(settings, roles, false);
    }

    /**
     * Returns the configuration of a cluster node that has not joined yet.
     *
     * @param faults whether message loss may be injected
     */
    public static Config node(ClusterSettings settings, List<String> roles, boolean faults) {
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
                .withFallback(WireVersion.settings(Program.version()))
                .withFallback(read("cluster.conf"));
        return settings.tls().enabled() ? tls(settings.tls()).withFallback(plain) : plain;
    }

    /** Returns the address for messages to a node: IPv6 in brackets. */
    public static Address address(HostPort node) {
        return new Address("pekko", LocalActorSystem.SYSTEM, node.bracketed(), node.port());
    }

    /** Returns host and port of a message address, for display and settings. */
    public static HostPort address(Address node) {
        return new HostPort(node.getHost().orElseThrow(), node.getPort().orElseThrow());
    }

    /** Returns the configuration of TLS: both ends show a certificate of the same authority. */
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

    /**
     * Returns the options of the virtual machine ({@code -Dpekko....}, {@code -Ddarkroom....}), which take precedence
     * over everything else.
     */
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
