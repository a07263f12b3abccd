package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import darkroom.actors.wire.WireVersion;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.Invalid;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import org.apache.pekko.cluster.Valid$;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;

/** Compatibility of joining nodes. */
class WireVersionJoinCheckTest {
    private final JoinConfigCompatChecker check = new WireVersionJoinCheck();
    private final Config own = WireVersion.settings("0.1.0");

    @Test
    void nodes_of_one_wire_version_join_whatever_their_builds() {
        assertThat(check.check(WireVersion.settings("0.1.0-fix"), own)).isEqualTo(Valid$.MODULE$);
    }

    @Test
    void a_node_of_another_wire_version_is_refused_and_both_builds_are_named() {
        Config other = WireVersion.settings("0.2.0")
                .withValue(WireVersion.KEY, ConfigValueFactory.fromAnyRef(WireVersion.CURRENT + 1));
        assertThat(refusal(check.check(other, own)))
                .isEqualTo(("the other node speaks wire version %d (build 0.2.0), this one speaks %d (build 0.1.0):"
                                + " use the same build on every node")
                        .formatted(WireVersion.CURRENT + 1, WireVersion.CURRENT));
    }

    @Test
    void a_node_that_does_not_say_is_refused() {
        assertThat(refusal(check.check(ConfigFactory.empty(), own)))
                .startsWith("the other node speaks wire version unknown (build unknown)");
    }

    /** Pekko sends only the required keys to the other side. */
    @Test
    void what_is_checked_is_what_is_sent() {
        assertThat(CollectionConverters.asJava(check.requiredKeys()))
                .containsExactly(WireVersion.KEY, WireVersion.BUILD_KEY)
                .allMatch(own::hasPath);
    }

    private static String refusal(ConfigValidation validation) {
        return CollectionConverters.asJava(((Invalid) validation).errorMessages())
                .getFirst();
    }
}
