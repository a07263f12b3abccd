package darkroom.gpuworkers;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.stream.IntStream;

/**
 * Bytes that this process has allocated and not freed, as counted by glibc: these include PyTorch's tensors, to the byte, but
 * unlike the resident set neither the Java heap nor the remains of freed tensors.
 */
@SuppressWarnings("restricted") // every JVM of this project enables native access
final class NativeMemory {
    private static final int FIELDS = 10;
    private static final int MAPPED_BYTES = 4;
    private static final int USED_BYTES = 7;

    /** {@code struct mallinfo2}, ten times {@code size_t}. */
    private static final StructLayout MALLINFO2 = MemoryLayout.structLayout(
            IntStream.range(0, FIELDS).mapToObj(_ -> ValueLayout.JAVA_LONG).toArray(MemoryLayout[]::new));

    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("mallinfo2"), FunctionDescriptor.of(MALLINFO2));

    private NativeMemory() {}

    /** Returns the bytes after the collector could free the memory of Java buffers. */
    static long bytes() {
        System.gc();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = (MemorySegment) CALL.invokeExact((SegmentAllocator) arena);
            return info.getAtIndex(ValueLayout.JAVA_LONG, MAPPED_BYTES)
                    + info.getAtIndex(ValueLayout.JAVA_LONG, USED_BYTES);
        } catch (Throwable e) {
            throw new IllegalStateException("mallinfo2 of glibc 2.33 or later", e);
        }
    }
}
