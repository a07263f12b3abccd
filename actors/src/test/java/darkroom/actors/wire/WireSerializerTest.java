package darkroom.actors.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.WireMessage;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.workqueue.LeasedWorker;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.tensors.TensorRef;
import java.io.NotSerializableException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Tests that messages between nodes survive serialization: WF-1 to WF-5. */
class WireSerializerTest {
    @SuppressWarnings("NullAway.Init") // set before the first test
    private static WireBench bench;

    @BeforeContainer
    static void open() {
        bench = new WireBench();
    }

    @AfterContainer
    static void close() {
        bench.close();
    }

    @Provide
    Arbitrary<Object> messages() {
        return AnyMessage.of(bench.refs());
    }

    /** WF-1. */
    @Property
    void any_message_that_is_written_is_read(@ForAll("messages") Object message) {
        byte[] bytes = bench.serializer().toBinary(message);
        assertThat(bench.serializer().fromBinary(bytes)).isEqualTo(message);
    }

    /** WF-1: surrounded by other bytes, as in a frame. */
    @Property
    void any_message_goes_through_a_buffer(@ForAll("messages") Object message) {
        WireSerializer serializer = bench.serializer();
        byte[] bytes = serializer.toBinary(message);
        ByteBuffer frame = ByteBuffer.allocateDirect(bytes.length + 20);
        frame.position(7);
        serializer.toBinary(message, frame);
        assertThat(frame.position()).isEqualTo(7 + bytes.length);
        frame.flip().position(7);
        assertThat(serializer.fromBinary(frame, "")).isEqualTo(message);
        assertThat(frame.hasRemaining()).isFalse();
    }

    /** WF-2. */
    @Property
    void equal_messages_have_equal_bytes(@ForAll("messages") Object message) {
        byte[] bytes = bench.serializer().toBinary(message);
        assertThat(bench.serializer().toBinary(bench.serializer().fromBinary(bytes)))
                .isEqualTo(bytes);
    }

    /** WF-2: however objects share memory. */
    @Example
    void what_a_message_has_many_times_is_in_it_once() {
        int one = bench.serializer().toBinary(scores(1, _ -> prompt())).length;
        byte[] twelve = bench.serializer().toBinary(scores(12, _ -> prompt()));
        Prompt shared = prompt();
        assertThat(bench.serializer().toBinary(scores(12, _ -> shared))).isEqualTo(twelve);
        assertThat(bench.serializer().fromBinary(twelve)).isEqualTo(scores(12, _ -> shared));
        assertThat(twelve.length - one)
                .as("bytes of eleven more images of one prompt on one node")
                .isLessThan(11 * 24);
        assertThat(bench.serializer().toBinary(scores(12, slot -> prompt("row-" + slot))).length - twelve.length)
                .as("bytes of eleven other prompts with the same words")
                .isBetween(11 * 8, 11 * 24);
    }

    private static WireMessage scores(int count, IntFunction<Prompt> prompts) {
        List<LeasedWorker.Leased<ScoreUnit>> leases = new ArrayList<>();
        for (int slot = 0; slot < count; slot++) {
            leases.add(new LeasedWorker.Leased<>(
                    new LeaseId(slot),
                    new ScoreUnit(new ImageAddress("run", 3, 5, slot), prompts.apply(slot), picture(100 + slot))));
        }
        return new LeasedWorker.Perform<>(leases);
    }

    private static Prompt prompt() {
        return prompt("row-0");
    }

    private static Prompt prompt(String row) {
        return new Prompt(row, "ColorAlter", "Make the left circle green", "keep its size", picture(7), null);
    }

    private static TensorRef picture(long id) {
        return new TensorRef(id, "rollout-at-home", TensorRef.ElementType.UINT8, List.of(32, 32, 3), 99);
    }

    /** WF-3. */
    @Property
    void a_message_that_is_cut_or_goes_on_is_none(@ForAll("messages") Object message, @ForAll Random random) {
        byte[] bytes = bench.serializer().toBinary(message);
        assertThatThrownBy(() -> bench.serializer().fromBinary(Arrays.copyOf(bytes, random.nextInt(bytes.length))))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("are no message of wire version " + WireVersion.CURRENT);
        assertThatThrownBy(() -> bench.serializer().fromBinary(Arrays.copyOf(bytes, bytes.length + 1)))
                .isInstanceOf(WireException.class);
    }

    /** WF-3. */
    @Property
    void damaged_bytes_are_a_whole_message_or_none(@ForAll("messages") Object message, @ForAll Random random) {
        byte[] bytes = bench.serializer().toBinary(message);
        for (int damage = 0; damage < 4; damage++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            Object read;
            try {
                read = bench.serializer().fromBinary(bytes);
            } catch (WireException none) {
                continue;
            }
            assertThat(read).isInstanceOf(WireMessage.class);
            assertThat(bench.serializer().toBinary(read)).isNotEmpty();
        }
    }

    /** WF-3: nothing is allocated for a size that is only announced. */
    @Example
    void a_size_that_the_bytes_cannot_hold_is_refused_before_memory_is_taken() {
        assertUnreadable("4a fcffffff0f", "1073741823 things are announced and 0 bytes are left"); // Leaving
        assertUnreadable("4a fdffffff0f", "1073741823 things are announced");
        assertUnreadable("50 02 ffffffff07", "2147483647 things are announced"); // RosterIs
    }

    /** WF-3, WF-5. */
    @Example
    void what_is_no_message_says_why() {
        assertUnreadable("", "from byte 0 on");
        assertUnreadable("00", "nothing stands where a darkroom.actors.device.WireMessage belongs");
        assertUnreadable("01 00 84 6a617661", "a class by name");
        assertUnreadable("7f", "unregistered class ID");
        assertUnreadable(
                "2a 01",
                "a darkroom.actors.device.PolicyVersion stands where a darkroom.actors.device.WireMessage belongs");
        assertUnreadable("1a 00", "the message ends here"); // Stop
        assertUnreadable("4a 03", "3 begins no text"); // Leaving
        assertUnreadable("4a 02", "nothing of the 0 things before is class java.lang.String 0");
    }

    private static void assertUnreadable(String hex, String why) {
        assertThatThrownBy(() -> bench.serializer().fromBinary(HexFormat.of().parseHex(hex.replace(" ", ""))))
                .isInstanceOf(WireException.class)
                .hasMessageContaining(why);
    }

    /** WF-3: a value that a constructor rejects does not become an object. */
    @Example
    void a_value_that_cannot_be_is_not_read() {
        WireMessage message = new WorkQueue.Finished<ScoreUnit, ScoreOutcome>(
                bench.refs().resolveActorRef("pekko://wire/user/scorer#1"),
                new LeaseId(1),
                new ScoreOutcome.Scored(0.5, 1, 1, ""));
        byte[] bytes = bench.serializer().toBinary(message);
        int score = bytes.length - Double.BYTES - Double.BYTES - 2;
        assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getDouble(score))
                .isEqualTo(0.5);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putDouble(score, 1.5);
        assertThatThrownBy(() -> bench.serializer().fromBinary(bytes))
                .hasMessageContaining("score=1.5 is not in [0, 1]");
    }

    /** WF-4. */
    @Example
    void a_message_that_is_too_large_is_refused_with_its_class_and_its_size() {
        WireMessage most = new NodeAgent.Dismissed("a".repeat(WireSerializer.MESSAGE_BYTES_MAX - 5));
        byte[] bytes = bench.serializer().toBinary(most);
        assertThat(bytes).hasSize(WireSerializer.MESSAGE_BYTES_MAX);
        assertThat(bench.serializer().fromBinary(bytes)).isEqualTo(most);
        assertThatThrownBy(() -> bench.serializer()
                        .toBinary(new NodeAgent.Dismissed("a".repeat(WireSerializer.MESSAGE_BYTES_MAX - 4))))
                .isInstanceOf(WireException.class)
                .hasMessage("a darkroom.actors.cluster.NodeAgent$Dismissed has 983041 bytes, "
                        + "and a message between nodes at most 983040");
    }

    /** Artery takes this exception for a frame that is too small. */
    @Example
    void a_buffer_that_is_too_small_is_said_to_be() {
        assertThatThrownBy(() -> bench.serializer()
                        .toBinary(
                                new NodeRegistry.Leaving("node-1", NodeEvent.Departure.ASKED, "told to"),
                                ByteBuffer.allocate(8)))
                .isInstanceOf(BufferOverflowException.class);
    }

    /** WF-5. */
    @Example
    void a_message_within_a_process_has_no_serializer() {
        for (Object local : List.of(new NodeRegistry.Close("done"), new PolicyVersion(3), "text", new ArrayList<>())) {
            assertThatThrownBy(() -> bench.serializer().toBinary(local))
                    .isInstanceOf(WireException.class)
                    .hasMessageContaining("does not cross from node to node");
        }
        assertThatThrownBy(() -> bench.serialization().serializerFor(NodeRegistry.Close.class))
                .isInstanceOf(NotSerializableException.class);
    }

    @Example
    @SuppressWarnings("NullAway") // on purpose
    void a_component_that_is_null_and_not_declared_so_is_refused_where_it_is_sent() {
        assertThatThrownBy(() -> bench.serializer()
                        .toBinary(new NodeRegistry.Leaving("node-1", NodeEvent.Departure.ASKED, null)))
                .hasMessage("why of darkroom.actors.cluster.NodeRegistry$Leaving is null, and not declared so");
    }
}
