package darkroom.actors.wire;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;

/**
 * The version of the message format that a node speaks. All nodes of a cluster speak the same one; a node with another one
 * is refused when it joins.
 *
 * <p>A change to the bytes of a message, or to their meaning, makes a new version: a message, a component or an enum
 * constant that is added, removed, moved, renamed or given another type, and an id in {@link WireClasses}. The build
 * compares itself with the samples that are stored for its version, and explains how a new version gets its own.
 */
public final class WireVersion {
    /** The version of this build. */
    public static final int CURRENT = 9;

    /** Settings key of an actor system: the wire version that the node speaks. */
    public static final String KEY = "darkroom.wire-version";

    /** Settings key of an actor system: the version of Darkroom, for people. */
    public static final String BUILD_KEY = "darkroom.build";

    private WireVersion() {}

    /**
     * Returns the settings with which the actor system of a node sends a {@link WireMessage} and is refused by incompatible
     * nodes: serializer, bindings, {@link #KEY} and {@link #BUILD_KEY}.
     *
     * @param build version of Darkroom
     */
    public static Config settings(String build) {
        return ConfigFactory.parseResources(WireVersion.class, "wire.conf")
                .withValue(KEY, ConfigValueFactory.fromAnyRef(CURRENT))
                .withValue(BUILD_KEY, ConfigValueFactory.fromAnyRef(build));
    }
}
