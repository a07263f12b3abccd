package darkroom.actors.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.WireMessage;
import darkroom.actors.workqueue.LeasedWorker;
import darkroom.actors.workqueue.WorkQueue;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests which classes may cross from node to node, by reflection over everything that messages hold. */
class WireClassesTest {
    private static final WireClosure MESSAGES = WireClosure.of(WireMessages.ALL.toArray(Class<?>[]::new));

    /** Messages sent within a process only. */
    private static final Set<Class<?>> LOCAL = Set.of(
            WorkQueue.Submit.class,
            WorkQueue.Withdraw.class,
            WorkQueue.Report.class,
            LeasedWorker.Drain.class,
            NodeRegistry.StepOver.class,
            NodeRegistry.Doing.class,
            NodeRegistry.Close.class,
            NodeAgent.RegistryAt.class,
            NodeAgent.Leave.class);

    @Test
    void every_class_in_a_message_has_one_number_and_no_other_class_has_one() {
        assertThat(WireClasses.BY_ID.values()).doesNotHaveDuplicates();
        assertThat(new HashSet<>(WireClasses.BY_ID.values()))
                .as("append what is missing to WireClasses and make a new WireVersion")
                .isEqualTo(MESSAGES.classes());
        assertThat(WireClasses.BY_ID.keySet()).allMatch(id -> id >= WireClasses.ID_MIN);
    }

    @Test
    void a_class_without_a_number_is_noticed() {
        record Fresh(PolicyVersion known, Optional<List<Unknown>> deep) {}
        assertThat(WireClosure.of(Fresh.class).classes()).contains(Unknown.class, PolicyVersion.class);
        assertThat(WireClasses.BY_ID).doesNotContainValue(Unknown.class);
    }

    private enum Unknown {
        ONE
    }

    /** P-8: bytes stay out of mailboxes. */
    @Test
    void no_message_between_nodes_can_hold_a_tensor() {
        assertThat(MESSAGES.foreign()).isEmpty();
    }

    /** P-8. */
    @ParameterizedTest
    @ValueSource(
            classes = {
                Bytes.class,
                Floats.class,
                Buffer.class,
                Segment.class,
                Boxed.class,
                Deep.class,
                Anything.class,
                Table.class
            })
    void a_message_that_could_hold_a_tensor_is_noticed_and_cannot_be_sent(Class<?> planted) {
        assertThat(WireClosure.of(planted).foreign()).hasSize(1);
        try (WireBench bench = new WireBench()) {
            assertThatThrownBy(() -> new WireTypes(bench.refs()).serializer(planted))
                    .hasMessageEndingWith("which no message between nodes may have");
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // the forbidden case
    private record Bytes(byte[] tensor) {}

    @SuppressWarnings("ArrayRecordComponent") // the forbidden case
    private record Floats(int ok, float[] tensor) {}

    private record Buffer(ByteBuffer tensor) {}

    private record Segment(MemorySegment tensor) {}

    private record Boxed(List<Float> tensor) {}

    private record Deep(Optional<List<double[]>> tensor) {}

    private record Anything(Object tensor) {}

    private record Table(Map<String, Integer> tensor) {}

    @Test
    void every_message_between_nodes_is_a_record_within_a_sealed_interface() {
        assertThat(WireMessages.ALL)
                .isNotEmpty()
                .allMatch(Class::isRecord)
                .allMatch(type -> Modifier.isPublic(type.getModifiers()));
        assertThat(protocols().flatMap(protocol -> Stream.of(protocol.getPermittedSubclasses())))
                .contains(WireMessages.ALL.stream()
                        .filter(type -> type != ClusterStatus.class)
                        .toArray(Class<?>[]::new));
    }

    @Test
    void every_command_is_known_to_cross_nodes_or_to_stay_in_its_process() {
        Set<Class<?>> stay = new HashSet<>();
        protocols()
                .flatMap(protocol -> Stream.of(protocol.getPermittedSubclasses()))
                .filter(Class::isRecord)
                .filter(command -> !Modifier.isPrivate(command.getModifiers()))
                .filter(command -> !WireMessage.class.isAssignableFrom(command))
                .forEach(stay::add);
        assertThat(stay)
                .as("is it sent to an actor on another node? Then it implements WireMessage, otherwise this test"
                        + " lists it")
                .isEqualTo(LOCAL);
    }

    private static Stream<Class<?>> protocols() {
        return Stream.of(
                WorkQueue.Command.class,
                WorkQueue.WorkerReport.class,
                LeasedWorker.Command.class,
                NodeRegistry.Command.class,
                NodeAgent.Command.class);
    }

    /** A reference to an actor of another node allows sending it messages; only known messages are allowed. */
    @Test
    void references_that_cross_nodes_are_to_actors_that_understand_messages_between_nodes() {
        assertThat(MESSAGES.classes().stream()
                        .flatMap(type -> Stream.ofNullable(type.getRecordComponents()))
                        .flatMap(Stream::of)
                        .filter(component -> component.getType() == ActorRef.class)
                        .map(component -> component.getGenericType().getTypeName()))
                .allMatch(type -> Stream.concat(protocols(), Stream.of(ClusterStatus.class))
                        .anyMatch(told -> type.contains("<" + told.getName())));
    }
}
