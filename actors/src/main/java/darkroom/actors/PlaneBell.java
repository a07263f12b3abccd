package darkroom.actors;

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
 * What wakes planes of one driver that sleep: a word in shared memory for each, and the kernel's futex. A plane says in its
 * word that it is about to sleep, looks once more, and sleeps; whoever has written something for it looks at the word, and
 * rings only if it says so. Two nodes may have the same word; whoever is not woken for that reason sleeps to the end of its
 * time, which is short.
 *
 * <p>Where there is no futex, as on any system but Linux, planes sleep until their time is over.
 */
final class PlaneBell {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneBell.class);
    private static final int BELLS = 1024;
    private static final int BELL_BYTES = 64;
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
    private PlaneBell(Path directory, int own, MemorySegment symbol, long futex) throws IOException {
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
        Path bells = SharedFile.shared(directory.resolve("darkroom-bells"), new byte[BELLS * BELL_BYTES]);
        try (FileChannel file = FileChannel.open(bells, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            words = file.map(FileChannel.MapMode.READ_WRITE, 0, (long) BELLS * BELL_BYTES, arena);
        }
    }

    /**
     * The bells of a driver; empty where the system has none.
     *
     * @param stream of the node that sleeps ({@link PlaneFrame#stream})
     */
    static Optional<PlaneBell> open(Path directory, int stream) {
        Long number = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
                ? FUTEX.get(System.getProperty("os.arch"))
                : null;
        Optional<MemorySegment> symbol = Linker.nativeLinker().defaultLookup().find("syscall");
        if (number == null || symbol.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new PlaneBell(directory, stream, symbol.get(), number));
        } catch (IOException e) {
            LOG.warn("no bells in {}: short messages take longer", directory, e);
            return Optional.empty();
        }
    }

    /** From here on others ring. To be followed by a last look, and then by {@link #sleep} or {@link #awake}. */
    void drowsy() {
        WORD.setVolatile(words, offset(own), ASLEEP);
        VarHandle.fullFence();
    }

    /** Sleeps until it is rung for, or a time is over. By one thread only. */
    void sleep(long nanos) {
        time.set(ValueLayout.JAVA_LONG, 0, nanos / TimeUnit.SECONDS.toNanos(1));
        time.set(ValueLayout.JAVA_LONG, 8, nanos % TimeUnit.SECONDS.toNanos(1));
        call(own, WAIT, ASLEEP, time);
        awake();
    }

    void awake() {
        WORD.setVolatile(words, offset(own), AWAKE);
    }

    /** Wakes whoever reads a stream, if it sleeps. What was written before is seen by it. */
    void ring(int stream) {
        VarHandle.fullFence();
        long at = offset(stream);
        if ((int) WORD.getVolatile(words, at) == ASLEEP && WORD.compareAndSet(words, at, ASLEEP, AWAKE)) {
            call(stream, WAKE, Integer.MAX_VALUE, MemorySegment.NULL);
        }
    }

    /** Wakes the node whose bell this is. */
    void ring() {
        ring(own);
    }

    private static long offset(int stream) {
        return (long) Math.floorMod(stream, BELLS) * BELL_BYTES;
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
