package darkroom.runtime.cluster;

import com.typesafe.config.Config;
import darkroom.actors.wire.WireVersion;
import java.util.List;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.Invalid;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import org.apache.pekko.cluster.Valid$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Keeps a node out of a cluster that speaks another {@link WireVersion}. Pekko calls it on both sides when a node
 * joins: the cluster's side logs the message, the joining node ends.
 */
public final class WireVersionJoinCheck extends JoinConfigCompatChecker {
    private static final List<String> KEYS = List.of(WireVersion.KEY, WireVersion.BUILD_KEY);

    @Override
    public Seq<String> requiredKeys() {
        return seq(KEYS);
    }

    /**
     * Compares the wire versions.
     *
     * @param other settings of the node at the other end
     * @param own settings of this node
     */
    @Override
    public ConfigValidation check(Config other, Config own) {
        String theirs = value(other, WireVersion.KEY);
        String ours = value(own, WireVersion.KEY);
        if (other.hasPath(WireVersion.KEY) && theirs.equals(ours)) {
            return Valid$.MODULE$;
        }
        return new Invalid(seq(List.of(
                "the other node speaks wire version %s (build %s), this one speaks %s (build %s): use the same build on every node"
                        .formatted(
                                theirs,
                                value(other, WireVersion.BUILD_KEY),
                                ours,
                                value(own, WireVersion.BUILD_KEY)))));
    }

    private static String value(Config settings, String key) {
        return settings.hasPath(key) ? settings.getString(key) : "unknown";
    }

    private static Seq<String> seq(List<String> items) {
        return CollectionConverters.asScala(items).toList();
    }
}
