package darkroom.tensors;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes sleeping planes of one driver, using one word per plane in shared memory and the kernel's futex. A plane sets its
 * word before it sleeps, checks once more for work, and sleeps; a writer checks the word and wakes the plane only if it is
 * set. Two nodes may share a word; a node that is not woken for that reason sleeps until its short timeout.
 *
 * <p>On systems other than Linux, which have no futex, planes sleep until their timeout.
 */
final class PlaneFutex {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneFutex.class);
    private static final int BELLS = 1024;
    private static final int FUTEX_BYTES = 64;
    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();
    private static final int WAIT = 0;
    private static final int WAKE = 1;
    private static final int AWAKE = 0;
    private static final int ASLEEP = 1;
    private static final Map<String, Long> FUTEX = Map.of("amd64", 202L, "aarch64", 98L);
    private static final AddressLayout ADDRESS = ValueLayout.ADDRESS;

    private final Arena arena = Arena.ofAuto();
    private final MethodHandle syscall;
    private final long futex;
    private final MemorySegment words;
    private final MemorySegment time = arena.allocate(16, 8);
    private final int own;

    @SuppressWarnings("restricted")
    private PlaneFutex(Path directory, int own, MemorySegment symbol, long futex) throws IOException {
        this.own = own;
        this.futex = futex;
        syscall = Linker.nativeLinker()
                .downcallHandle(
                        symbol,
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ADDRESS,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ADDRESS),
                        Linker.Option.firstVariadicArg(1));
        Path bells = SharedFile.shared(directory.resolve("darkroom-bells"), new byte[BELLS * FUTEX_BYTES]);
        try (FileChannel file = FileChannel.open(bells, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            words = file.map(FileChannel.MapMode.READ_WRITE, 0, (long) BELLS * FUTEX_BYTES, arena);
        }
    }

    /**
     * Opens the futex words of a driver; empty where the system has no futex.
     *
     * @param stream of the node that sleeps ({@link PlaneFrame#stream})
     */
    static Optional<PlaneFutex> open(Path directory, int stream) {
        Long number = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
                ? FUTEX.get(System.getProperty("os.arch"))
                : null;
        Optional<MemorySegment> symbol = Linker.nativeLinker().defaultLookup().find("syscall");
        if (number == null || symbol.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new PlaneFutex(directory, stream, symbol.get(), number));
        } catch (IOException e) {
            LOG.warn("no bells in {}: short messages take longer", directory, e);
            return Optional.empty();
        }
    }

    /**
     * Announces that the plane is about to sleep. Followed by a last check for work, and then by {@link #sleep} or
     * {@link #awake}.
     */
    void drowsy() {
        WORD.setVolatile(words, offset(own), ASLEEP);
        VarHandle.fullFence();
    }

    /** Sleeps until woken or until a timeout. Called by one thread only. */
    void sleep(long nanos) {
        time.set(ValueLayout.JAVA_LONG, 0, nanos / TimeUnit.SECONDS.toNanos(1));
        time.set(ValueLayout.JAVA_LONG, 8, nanos % TimeUnit.SECONDS.toNanos(1));
        call(own, WAIT, ASLEEP, time);
        awake();
    }

    void awake() {
        WORD.setVolatile(words, offset(own), AWAKE);
    }

    /** Wakes the readers of a stream that sleep. They see everything written before. */
    void ring(int stream) {
        VarHandle.fullFence();
        long at = offset(stream);
        if ((int) WORD.getVolatile(words, at) == ASLEEP && WORD.compareAndSet(words, at, ASLEEP, AWAKE)) {
            call(stream, WAKE, Integer.MAX_VALUE, MemorySegment.NULL);
        }
    }

    /** Wakes the node that owns this futex word. */
    void ring() {
        ring(own);
    }

    private static long offset(int stream) {
        return (long) Math.floorMod(stream, BELLS) * FUTEX_BYTES;
    }

    private void call(int stream, int operation, int value, MemorySegment timeout) {
        try {
            long _ = (long)
                    syscall.invokeExact(futex, words.asSlice(offset(stream), Integer.BYTES), operation, value, timeout);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
