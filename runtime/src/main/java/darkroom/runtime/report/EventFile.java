package darkroom.runtime.report;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TensorBoard event file: TFRecord frames, each with one {@code Event} of tensorflow/core/util/event.proto. Every
 * {@link #write} appends one event and has handed it to the operating system when it returns. A process that dies
 * leaves whole records and at most one torn one at the end, which readers skip.
 *
 * <p>A frame is the payload's length (8 bytes, little endian), the masked CRC-32C of those 8 bytes, the payload, and
 * the masked CRC-32C of the payload. The mask is {@code rotateRight(crc, 15) + 0xa282ead8}.
 */
final class EventFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventFile.class);
    private static final String VERSION = "brain.Event:2";
    private static final int SESSION_START = 1;

    /** Field numbers of event.proto and summary.proto. */
    private static final class Field {
        static final int EVENT_WALL_TIME = 1;
        static final int EVENT_STEP = 2;
        static final int EVENT_FILE_VERSION = 3;
        static final int EVENT_SUMMARY = 5;
        static final int EVENT_SESSION_LOG = 7;
        static final int SESSION_LOG_STATUS = 1;
        static final int SUMMARY_VALUE = 1;
        static final int VALUE_TAG = 1;
        static final int VALUE_SIMPLE_VALUE = 2;
    }

    private final Path path;
    private final OutputStream out;
    private final InstantSource clock;

    private EventFile(Path path, OutputStream out, InstantSource clock) {
        this.path = path;
        this.out = out;
        this.clock = clock;
    }

    /**
     * Creates a file {@code events.out.tfevents.SECONDS.HOST.N} in {@code directory}, next to existing ones: N is the
     * first free number.
     *
     * @param clock wall time of the events
     * @param relative last step of earlier event files in the directory that remains valid: the step from which a
     *     resumed run continues. Readers discard later steps of those files. 0 if there are none
     * @throws IOException if the directory cannot be created or written
     */
    static EventFile create(Path directory, InstantSource clock, long relative) throws IOException {
        Files.createDirectories(directory);
        String name = "events.out.tfevents.%010d.%s.".formatted(clock.instant().getEpochSecond(), host());
        int number = 0;
        while (Files.exists(directory.resolve(name + number))) {
            number++;
        }
        Path path = directory.resolve(name + number);
        OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        EventFile file = new EventFile(path, out, clock);
        file.begin(relative);
        return file;
    }

    private void begin(long relative) throws IOException {
        append(0, event -> event.writeString(Field.EVENT_FILE_VERSION, VERSION));
        if (relative > 0) {
            byte[] start = message(log -> log.writeEnum(Field.SESSION_LOG_STATUS, SESSION_START));
            append(relative + 1, event -> event.writeByteArray(Field.EVENT_SESSION_LOG, start));
        }
    }

    /**
     * Writes all scalars of a step as one event.
     *
     * @param scalars value by tag, for instance {@code reward/mean}; kept as 32-bit floats
     * @throws IOException if the file cannot be written
     */
    void write(long step, Map<String, Double> scalars) throws IOException {
        byte[] summary = message(values -> {
            for (Map.Entry<String, Double> scalar : scalars.entrySet()) {
                byte[] value = message(fields -> {
                    fields.writeString(Field.VALUE_TAG, scalar.getKey());
                    fields.writeFloat(
                            Field.VALUE_SIMPLE_VALUE, scalar.getValue().floatValue());
                });
                values.writeByteArray(Field.SUMMARY_VALUE, value);
            }
        });
        append(step, event -> event.writeByteArray(Field.EVENT_SUMMARY, summary));
    }

    /** Returns the path of the file. */
    Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    private interface Fields {
        void writeTo(CodedOutputStream message) throws IOException;
    }

    private void append(long step, Fields what) throws IOException {
        Instant now = clock.instant();
        byte[] event = message(fields -> {
            fields.writeDouble(Field.EVENT_WALL_TIME, now.getEpochSecond() + now.getNano() * 1e-9);
            if (step != 0) {
                fields.writeInt64(Field.EVENT_STEP, step);
            }
            what.writeTo(fields);
        });
        ByteBuffer frame = ByteBuffer.allocate(16 + event.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putLong(event.length);
        frame.putInt(maskedCrc(frame.array(), 0, 8));
        frame.put(event);
        frame.putInt(maskedCrc(event, 0, event.length));
        out.write(frame.array());
    }

    private static byte[] message(Fields fields) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream message = CodedOutputStream.newInstance(bytes);
        fields.writeTo(message);
        message.flush();
        return bytes.toByteArray();
    }

    private static int maskedCrc(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
    }

    private static String host() {
        Path kernelsName = Path.of("/proc/sys/kernel/hostname");
        try {
            String name = Files.readString(kernelsName).strip().replaceAll("[^A-Za-z0-9-]", "-");
            return name.isEmpty() ? "localhost" : name;
        } catch (IOException notLinux) {
            LOG.debug("{} cannot be read", kernelsName, notLinux);
            return "localhost";
        }
    }
}
