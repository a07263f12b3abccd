package darkroom.runtime.base;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Reports the progress of long work, every five seconds at most; short work reports nothing. For use by one thread. */
public final class WorkRate {
    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintWriter terminal;
    private final LongSupplier nanos;
    private long told;

    public WorkRate(PrintWriter terminal, LongSupplier nanos) {
        this.terminal = terminal;
        this.nanos = nanos;
        this.told = nanos.getAsLong();
    }

    public void at(Supplier<String> line) {
        long now = nanos.getAsLong();
        if (now - told >= REPORT_EVERY_NANOS) {
            told = now;
            terminal.println(line.get());
            terminal.flush();
        }
    }
}
