package darkroom.runtime;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Tells how far long work has come, every five seconds at most; short work says nothing. Used by one thread. */
final class WorkPace {
    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintWriter terminal;
    private final LongSupplier nanos;
    private long told;

    WorkPace(PrintWriter terminal, LongSupplier nanos) {
        this.terminal = terminal;
        this.nanos = nanos;
        this.told = nanos.getAsLong();
    }

    void at(Supplier<String> line) {
        long now = nanos.getAsLong();
        if (now - told >= REPORT_EVERY_NANOS) {
            told = now;
            terminal.println(line.get());
            terminal.flush();
        }
    }
}
