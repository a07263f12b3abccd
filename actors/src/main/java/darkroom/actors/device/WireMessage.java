package darkroom.actors.device;

/**
 * Marks a message that is sent between nodes. Other messages to an actor on another node are not sent: they have no
 * serializer, and Pekko logs that.
 *
 * <p>A new one needs an id in {@code WireClasses} and a new {@code WireVersion}; a test compares the classes with this
 * marker and the registered ones.
 */
public interface WireMessage {}
