package darkroom.runtime.chaos;

import java.io.PrintWriter;
import java.util.Locale;

/** The clock of a chaos run, seconds since its start, and the lines about it for people. */
final class ChaosLog {
    private final String run;
    private final PrintWriter out;
    private final long beganNanos = System.nanoTime();

    ChaosLog(String run, PrintWriter out) {
        this.run = run;
        this.out = out;
    }

    /** Returns the seconds since the run was created. */
    double now() {
        return (System.nanoTime() - beganNanos) / 1e9;
    }

    void say(String line) {
        out.printf(Locale.ROOT, "%s %6.1f s  %s%n", run, now(), line);
        out.flush();
    }
}
