package darkroom.runtime.report;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.runtime.base.Measurement;
import java.io.Console;
import java.io.IOError;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows a run while it is in progress. On a terminal: a block of a few lines at the bottom, redrawn in place, with all
 * other output scrolling above it. Elsewhere, and if {@code NO_COLOR}, {@code CI} or {@code TERM=dumb} ask for it:
 * plain lines without control codes, one per stage and one per step, for steps at most one per two seconds.
 *
 * <p>The caller that starts a run opens the view, announces each stage, passes the view to the run as a listener, and
 * closes it. All methods may be called from any thread and none of them waits for the terminal: a daemon thread of the
 * view writes, five times per second; only {@link #close} waits for it. No method throws if the terminal has gone away.
 */
public final class LiveView implements RunListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveView.class);
    private static final Duration PULSE = Duration.ofMillis(200);
    private static final Duration BETWEEN_STEP_LINES = Duration.ofSeconds(2);
    private static final int LINES_KEPT = 500;

    private final Object lock = new Object();
    private final InstantSource clock;
    private final RunProgress progress;
    private final Warnings warnings;
    private final Screen screen;
    private final LiveBlock block;
    private final Deque<String> above = new ArrayDeque<>();
    private int linesLost;
    private Instant lastStepLine = Instant.MIN;
    private @Nullable String stepLineHeldBack;
    private boolean ended;
    private boolean closed;
    private final List<Runnable> atClose = new ArrayList<>();

    /** Held by the writing thread; never waited for with {@link #lock} held. */
    private final Object writing = new Object();

    /** Calls the view back periodically. The seam to time. */
    @FunctionalInterface
    interface Pulse {
        /** @return handle that ends the calls */
        Runnable every(Duration period, Runnable call);
    }

    /** Destination of the lines. Called by one thread at a time. */
    private sealed interface Screen {
        /** Returns the width of the block; 0 if there is none. */
        int columns();

        void show(List<String> above, List<AttributedString> block);

        /** Removes the block; lines may still be shown. */
        void close();
    }

    private LiveView(Screen screen, LiveBlock block, InstantSource clock) {
        this.screen = screen;
        this.block = block;
        this.clock = clock;
        this.progress = new RunProgress(clock);
        this.warnings = new Warnings(clock);
    }

    private LiveView started(Pulse pulse) {
        atClose.add(pulse.every(PULSE, this::paint));
        return this;
    }

    /**
     * Opens the view on the terminal of this process if there is one and {@code environment} does not forbid it, and as
     * plain lines on {@code out} otherwise. On a terminal the log's warnings go above the block until the view is
     * closed, and a process that is ended by a signal closes the view.
     *
     * @param out receives plain lines, and lines printed after closing
     * @param clock for speeds and times only
     * @param environment variables of the process
     */
    public static LiveView open(PrintWriter out, InstantSource clock, Map<String, String> environment) {
        Terminal terminal = asksForPlainLines(environment) ? null : systemTerminal();
        if (terminal == null) {
            return plain(out, clock, daemonThread());
        }
        LiveView view = live(terminal, out, clock, daemonThread());
        Logging.terminal().printThrough(view::say);
        view.atClose.add(Logging.terminal()::printToStandardError);
        Thread closing = new Thread(view::close, "live-view-exit");
        Runtime.getRuntime().addShutdownHook(closing);
        view.atClose.add(() -> keepFromExit(closing));
        return view;
    }

    /** Opens a view of plain lines on {@code out}. */
    static LiveView plain(PrintWriter out, InstantSource clock, Pulse pulse) {
        return new LiveView(new PlainLines(out), new LiveBlock(LiveBlock.Signs.ASCII), clock).started(pulse);
    }

    /**
     * Opens a view on a terminal.
     *
     * @param terminal closed with the view
     */
    static LiveView live(Terminal terminal, PrintWriter afterwards, InstantSource clock, Pulse pulse) {
        LiveBlock block = new LiveBlock(LiveBlock.Signs.in(terminal.encoding()));
        return new LiveView(new LiveTerminal(terminal, afterwards), block, clock).started(pulse);
    }

    static boolean asksForPlainLines(Map<String, String> environment) {
        return !environment.getOrDefault("NO_COLOR", "").isEmpty()
                || !environment.getOrDefault("CI", "").isEmpty()
                || environment.getOrDefault("TERM", "dumb").equals("dumb");
    }

    private static @Nullable Terminal systemTerminal() {
        if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isEmpty()) {
            return null;
        }
        try {
            return TerminalBuilder.builder()
                    .system(true)
                    .systemOutput(TerminalBuilder.SystemOutput.SysOut)
                    .dumb(false)
                    .nativeSignals(false)
                    .build();
        } catch (IOException | IllegalStateException noTerminal) {
            LOG.debug("the terminal cannot be drawn on; lines are printed instead", noTerminal);
            return null;
        }
    }

    private static Pulse daemonThread() {
        ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("live-view").factory());
        return (period, call) -> {
            ScheduledFuture<?> calls =
                    thread.scheduleWithFixedDelay(call, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
            return () -> {
                calls.cancel(false);
                thread.shutdown();
            };
        };
    }

    private static void keepFromExit(Thread closing) {
        try {
            Runtime.getRuntime().removeShutdownHook(closing);
        } catch (IllegalStateException exiting) {
            LOG.debug("the process is ending", exiting);
        }
    }

    /** Begins a stage of unknown length, for instance {@code preparing}. */
    public void stage(String what) {
        stage(what, 0);
    }

    /**
     * Begins a stage that consists of {@code total} items. The view counts the groups of evaluations itself; other
     * items are counted by {@link #advance}.
     *
     * @param what for instance {@code evaluating held-out tasks before}
     * @param total at least 1; 0 if unknown
     */
    public void stage(String what, int total) {
        synchronized (lock) {
            releaseStepLine();
            progress.stage(what, total);
            plainLine(total == 0 ? what : "%s: %d".formatted(what, total));
        }
    }

    /** Counts one more finished item of the stage. */
    void advance() {
        synchronized (lock) {
            progress.advance();
        }
    }

    /**
     * Begins training.
     *
     * @param committed steps committed already: 0, or the step from which a run resumes
     * @param steps number of committed steps at which training is complete
     */
    public void training(int committed, int steps, int groupsPerStep) {
        synchronized (lock) {
            releaseStepLine();
            ended = false;
            progress.training(committed, steps, groupsPerStep);
            plainLine(
                    committed >= steps
                            ? "training: all %d steps are committed".formatted(committed)
                            : "training: step %d to %d, %d groups per step"
                                    .formatted(committed + 1, steps, groupsPerStep));
        }
    }

    /**
     * Shows the figures of an evaluation. Later ones on the same rows are shown next to the first: validations next to
     * the first validation, held-out rows after training next to those before.
     *
     * @param name of the evaluation's request
     */
    public void measured(String name, Measurement measurement) {
        synchronized (lock) {
            progress.measured(name, measurement);
            List<String> parts = progress.measurement();
            above(stamped(parts.getFirst() + ": " + String.join(", ", parts.subList(1, parts.size()))));
        }
    }

    /** Prints a line above the block, or directly where there is no block. Also works after closing. */
    void say(String line) {
        synchronized (lock) {
            above(line);
            if (!closed) {
                return;
            }
        }
        paint();
    }

    /**
     * Handles an event. After closing, only the end of the run is printed: a user who interrupted it waits for that.
     */
    @Override
    public void heard(RunEvent event) {
        synchronized (lock) {
            if (!closed) {
                hear(event);
                return;
            }
        }
        if (event instanceof RunEvent.Ended over) {
            say(stamped(end(over)));
        }
    }

    private void hear(RunEvent event) {
        if (!ended) {
            warnings.line(event).map(this::stamped).ifPresent(this::above);
        }
        progress.heard(event);
        switch (event) {
            case RunEvent.StepCommitted committed -> stepLine(committed);
            case RunEvent.Ended over -> {
                ended = true;
                releaseStepLine();
                above(stamped(end(over)));
            }
            case RunEvent other -> {}
        }
    }

    private static String end(RunEvent.Ended over) {
        int steps = over.state().step();
        return switch (over.end()) {
            case RunEvent.End.Completed _ -> "training ended: all %d steps are committed".formatted(steps);
            case RunEvent.End.ByRule(String reason) ->
                "training ended by rule after step %d: %s".formatted(steps, reason);
            case RunEvent.End.ByRequest _ -> "training ended as asked after step %d".formatted(steps);
            case RunEvent.End.Failed(String message) ->
                "warning: training failed after step %d: %s".formatted(steps, message);
        };
    }

    private void stepLine(RunEvent.StepCommitted committed) {
        if (screen instanceof LiveTerminal) {
            return;
        }
        List<String> parts = new ArrayList<>();
        parts.add("step %d of %d: %s"
                .formatted(
                        committed.step() + 1,
                        progress.total(),
                        committed.statistics().mean().isPresent()
                                ? "reward "
                                        + RunProgress.figure(
                                                committed.statistics().mean().getAsDouble())
                                : "no image scored"));
        parts.add("groups so far " + String.join(" ", progress.counts().subList(0, 3)));
        parts.add(progress.counts().getLast());
        progress.imagesPerSecond().ifPresent(speed -> parts.add(LiveBlock.speed(speed)));
        progress.remaining().ifPresent(left -> parts.add(LiveBlock.text(left) + " left"));
        stepLineHeldBack = stamped(String.join(", ", parts));
        if (!clock.instant().isBefore(lastStepLine.plus(BETWEEN_STEP_LINES))) {
            releaseStepLine();
        }
    }

    private void releaseStepLine() {
        if (stepLineHeldBack != null) {
            lastStepLine = clock.instant();
            above(stepLineHeldBack);
            stepLineHeldBack = null;
        }
    }

    private void plainLine(String line) {
        if (screen instanceof PlainLines) {
            above(stamped(line));
        }
    }

    /** Prefixes the time since the view was opened, as {@code 0:01:23}. */
    private String stamped(String line) {
        Duration elapsed = progress.elapsed();
        return "%d:%02d:%02d %s".formatted(elapsed.toHours(), elapsed.toMinutesPart(), elapsed.toSecondsPart(), line);
    }

    private void above(String line) {
        line.lines().map(LiveBlock::printable).forEach(above::addLast);
        while (above.size() > LINES_KEPT) {
            above.removeFirst();
            linesLost++;
        }
    }

    /** Writes the pending output. */
    private void paint() {
        synchronized (writing) {
            int columns = screen.columns();
            List<String> lines = new ArrayList<>();
            List<AttributedString> atFoot;
            synchronized (lock) {
                if (linesLost > 0) {
                    lines.add(linesLost + " lines are left out: they came faster than they could be shown");
                }
                lines.addAll(above);
                above.clear();
                linesLost = 0;
                atFoot = columns == 0 || closed ? List.of() : block.lines(progress, columns);
            }
            screen.show(lines, atFoot);
        }
    }

    /** Removes the block, prints the remaining lines, and releases the terminal. A second call does nothing. */
    @Override
    public void close() {
        List<Runnable> last;
        synchronized (lock) {
            if (closed) {
                return;
            }
            releaseStepLine();
            closed = true;
            last = List.copyOf(atClose);
        }
        last.forEach(Runnable::run);
        synchronized (writing) {
            paint();
            screen.close();
        }
    }

    private static final class PlainLines implements Screen {
        private final PrintWriter out;

        PlainLines(PrintWriter out) {
            this.out = out;
        }

        @Override
        public int columns() {
            return 0;
        }

        @Override
        public void show(List<String> above, List<AttributedString> block) {
            above.forEach(out::println);
            out.flush();
        }

        @Override
        public void close() {
            out.flush();
        }
    }

    /** A terminal with a block, redrawn by its changes: {@link Display} tracks what the terminal shows. */
    private static final class LiveTerminal implements Screen {
        private static final Size UNKNOWN = new Size(80, 24);
        private static final AttributedStyle WARNING = AttributedStyle.DEFAULT.foreground(AttributedStyle.YELLOW);

        private final Terminal terminal;
        private final PrintWriter afterwards;
        private final Display display;
        private volatile boolean sizeKnown;
        private Size size = UNKNOWN;
        private boolean closed;

        LiveTerminal(Terminal terminal, PrintWriter afterwards) {
            this.terminal = terminal;
            this.afterwards = afterwards;
            this.display = new Display(terminal, false);
            terminal.handle(Terminal.Signal.WINCH, _ -> sizeKnown = false);
            terminal.puts(Capability.cursor_invisible);
        }

        @Override
        public int columns() {
            if (!sizeKnown && !closed) {
                sizeKnown = true;
                Size asked = askedSize();
                size = asked.getColumns() > 0 && asked.getRows() > 0 ? asked : UNKNOWN;
                display.resize(size.getRows(), size.getColumns());
            }
            return size.getColumns();
        }

        private Size askedSize() {
            try {
                return terminal.getSize();
            } catch (IOError | UncheckedIOException unanswered) {
                LOG.debug("the terminal does not tell its size", unanswered);
                return size;
            }
        }

        @Override
        public void show(List<String> above, List<AttributedString> block) {
            if (closed) {
                above.forEach(afterwards::println);
                afterwards.flush();
                return;
            }
            if (!above.isEmpty()) {
                display.update(List.of(), 0);
                above.forEach(this::print);
            }
            display.update(block.subList(0, Math.min(block.size(), size.getRows() - 1)), 0);
            terminal.flush();
        }

        private void print(String line) {
            boolean warns = line.contains("warning: ") || line.startsWith("warn: ") || line.startsWith("error: ");
            AttributedStyle style = warns ? WARNING : AttributedStyle.DEFAULT;
            new AttributedString(line, style).println(terminal);
        }

        @Override
        public void close() {
            display.update(List.of(), 0);
            terminal.puts(Capability.cursor_normal);
            terminal.flush();
            closed = true;
            try {
                terminal.close();
            } catch (IOException gone) {
                LOG.debug("the terminal is gone", gone);
            }
        }
    }
}
