package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.junit.jupiter.api.Test;

final class LiveViewTest {
    private final ManualClock clock = ManualClock.at("2026-11-24T12:00:00Z");
    private final List<Runnable> heartbeats = new ArrayList<>();
    private final StringWriter out = new StringWriter();

    @Test
    void a_short_run_in_plain_lines_reads_from_its_first_stage_to_its_end() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            view.stage("preparing");
            clock.passSeconds(4);
            view.stage("evaluating held-out tasks before", 2);
            for (int group = 0; group < 2; group++) {
                clock.passSeconds(1);
                view.heard(ScriptedEvents.evaluationGroup("held-out-before", group));
            }
            view.measured(Evaluations.HELD_OUT_BEFORE, ScriptedEvents.measurement(.35, .287));
            view.training(0, 3, 4);
            for (int step = 0; step < 3; step++) {
                for (int group = 0; group < 4; group++) {
                    view.heard(ScriptedEvents.group(step, group));
                }
                clock.passSeconds(3);
                view.heard(ScriptedEvents.committed(step, .4 + .05 * step, 3));
            }
            view.heard(ScriptedEvents.ended(3, new RunEvent.End.Completed()));
            view.stage("writing report");
        }
        assertThat(out.toString().lines())
                .containsExactly(
                        "0:00:00 preparing",
                        "0:00:04 evaluating held-out tasks before: 2",
                        "0:00:06 held-out-before: reward 0.350, ground truth 0.287",
                        "0:00:06 training: step 1 to 3, 4 groups per step",
                        "0:00:09 step 1 of 3: reward 0.400, groups so far 3 kept 1 dropped 0 abandoned,"
                                + " 1 image unscored, 16 images/s, 6s left",
                        "0:00:12 step 2 of 3: reward 0.450, groups so far 6 kept 2 dropped 0 abandoned,"
                                + " 2 images unscored, 16 images/s, 3s left",
                        "0:00:15 step 3 of 3: reward 0.500, groups so far 9 kept 3 dropped 0 abandoned,"
                                + " 3 images unscored, 16 images/s, 0s left",
                        "0:00:15 training ended: all 3 steps are committed",
                        "0:00:15 writing report");
    }

    @Test
    void fast_steps_give_at_most_one_plain_line_in_two_seconds_and_the_last_step_always() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            view.training(0, 8, 4);
            for (int step = 0; step < 8; step++) {
                clock.pass(Duration.ofMillis(700));
                view.heard(ScriptedEvents.committed(step, .4, 3));
            }
            view.heard(ScriptedEvents.ended(8, new RunEvent.End.Completed()));
        }
        assertThat(out.toString().lines().filter(line -> line.contains(" of 8")).map(line -> line.substring(8, 19)))
                .containsExactly("step 1 of 8", "step 4 of 8", "step 7 of 8", "step 8 of 8");
    }

    @Test
    void plain_lines_have_no_control_codes_and_only_ascii() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            view.training(0, 8, 4);
            view.heard(new WorkQueueEvent.WorkFailed(
                    "rollout", "rollout-0", "rollout run step 0 group 1", "\u001b[31mred\u0007"));
            view.say("tab\there");
        }
        assertThat(out.toString()).contains("[31mred").contains("tab here").matches("[ -~\\r\\n]*");
    }

    @Test
    void the_end_says_why() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            view.heard(ScriptedEvents.ended(5, new RunEvent.End.ByRule("the validation measure stalls")));
            view.heard(ScriptedEvents.ended(6, new RunEvent.End.ByRequest()));
            view.heard(ScriptedEvents.ended(7, new RunEvent.End.Failed("the disk is full")));
        }
        assertThat(out.toString().lines())
                .containsExactly(
                        "0:00:00 training ended by rule after step 5: the validation measure stalls",
                        "0:00:00 training ended as asked after step 6",
                        "0:00:00 warning: training failed after step 7: the disk is full");
    }

    /** P-4: a hang is visible, with role, worker, unit and group. */
    @Test
    void a_stall_and_a_lost_worker_are_told() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            view.heard(new WorkQueueEvent.Stalled(
                    "score", "reward-0", "score run step 3 group 4 slot 5", Duration.ofMinutes(1), false));
            view.heard(new WorkQueueEvent.Stalled(
                    "score", "reward-0", "score run step 3 group 4 slot 5", Duration.ofMinutes(2), true));
            view.heard(new WorkQueueEvent.WorkerLost("rollout", "rollout-1", 2));
            view.heard(ScriptedEvents.lostGroup(3, 4, "every device refused it"));
            view.heard(new WorkQueueEvent.WorkerJoined("rollout", "rollout-1b", 1));
            view.heard(new WorkQueueEvent.NobodyThere("rollout", 12));
        }
        assertThat(out.toString().lines())
                .containsExactly(
                        "0:00:00 warning: score has finished nothing for 1m00s; the oldest unit is"
                                + " score run step 3 group 4 slot 5, held by reward-0",
                        "0:00:00 warning: score has finished nothing for 2m00s; the oldest unit is"
                                + " score run step 3 group 4 slot 5, held by reward-0;"
                                + " it was taken away, to be done elsewhere",
                        "0:00:00 warning: rollout worker rollout-1 is gone; others do its 2 units",
                        "0:00:00 warning: rollout run step 3 group 4 is lost: every device refused it",
                        "0:00:00 warning: 12 units wait and no node does rollout; start one: darkroom node --roles"
                                + " rollout");
    }

    @Test
    void a_flood_of_like_warnings_is_three_lines_and_a_count() {
        try (LiveView view = LiveView.plain(new PrintWriter(out), clock, this::heartbeat)) {
            for (int slot = 0; slot < 100; slot++) {
                view.heard(new WorkQueueEvent.LeaseExpired("score", "reward-0", "slot " + slot));
            }
            view.heard(new WorkQueueEvent.WorkerLost("score", "reward-0", 1));
            clock.passSeconds(10);
            view.heard(new WorkQueueEvent.LeaseExpired("score", "reward-0", "slot 100"));
        }
        assertThat(out.toString().lines())
                .hasSize(5)
                .last()
                .isEqualTo("0:00:10 warning: score worker reward-0 was silent for too long; another one does slot 100"
                        + " (and 97 like it before)");
    }

    @Test
    void what_the_environment_says_decides_between_block_and_plain_lines() {
        assertThat(LiveView.asksForPlainLines(Map.of("TERM", "xterm-256color"))).isFalse();
        assertThat(LiveView.asksForPlainLines(Map.of("TERM", "xterm", "NO_COLOR", "")))
                .isFalse();
        assertThat(LiveView.asksForPlainLines(Map.of("TERM", "xterm", "NO_COLOR", "1")))
                .isTrue();
        assertThat(LiveView.asksForPlainLines(Map.of("TERM", "xterm", "CI", "true")))
                .isTrue();
        assertThat(LiveView.asksForPlainLines(Map.of("TERM", "dumb"))).isTrue();
        assertThat(LiveView.asksForPlainLines(Map.of())).isTrue();
    }

    @Test
    void on_a_terminal_the_block_stays_at_the_foot_and_warnings_scroll_above() throws IOException {
        Watched watched = new Watched(60, 12, StandardCharsets.UTF_8);
        LiveView view = LiveView.live(watched.terminal, new PrintWriter(out), clock, this::heartbeat);
        view.training(0, 10, 4);
        steps(view, 0, 4);
        heartbeats.getLast().run();
        List<String> block = watched.lines();
        assertThat(block)
                .containsExactly(
                        "training  step 5 of 10  rollout and scoring, 0 of 4 groups",
                        "███████░░░░░░░░░░░   40 %  12s left  24 images/s  8s so far",
                        "reward  0.430 ↑  ▁▃▆█",
                        "groups  12 kept  4 dropped  0 abandoned  4 images unscored");

        view.heard(new WorkQueueEvent.WorkerLost("rollout", "rollout-1", 1));
        view.say("warning: from the log");
        heartbeats.getLast().run();
        assertThat(watched.lines().subList(0, 2))
                .containsExactly("0:00:08 warning: rollout worker rollout-1 is gone; others do", " its 1 unit");
        assertThat(watched.lines().get(2)).isEqualTo("warning: from the log");
        assertThat(watched.lines().subList(3, 7)).isEqualTo(block);

        view.close();
        assertThat(watched.lines()).hasSize(3).last().isEqualTo("warning: from the log");
        assertThat(watched.screen().cursorVisible()).isTrue();
        view.say("checkpoint written");
        view.heard(ScriptedEvents.committed(4, .4, 3));
        view.heard(ScriptedEvents.ended(5, new RunEvent.End.ByRequest()));
        assertThat(out.toString().lines())
                .containsExactly("checkpoint written", "0:00:08 training ended as asked after step 5");
    }

    @Test
    void nobody_waits_for_the_terminal_but_the_thread_of_the_view() throws IOException {
        Watched watched = new Watched(60, 12, StandardCharsets.UTF_8);
        try (LiveView view = LiveView.live(watched.terminal, new PrintWriter(out), clock, this::heartbeat)) {
            int before = watched.bytes.size();
            view.training(0, 10, 4);
            steps(view, 0, 4);
            view.say("a line");
            assertThat(watched.bytes.size()).isEqualTo(before);
            heartbeats.getLast().run();
            assertThat(watched.bytes.size()).isGreaterThan(before);
        }
    }

    @Test
    void an_unchanged_block_writes_nothing_to_speak_of() throws IOException {
        Watched watched = new Watched(60, 12, StandardCharsets.UTF_8);
        try (LiveView view = LiveView.live(watched.terminal, new PrintWriter(out), clock, this::heartbeat)) {
            view.stage("preparing");
            heartbeats.getLast().run();
            int before = watched.bytes.size();
            for (int i = 0; i < 10; i++) {
                heartbeats.getLast().run();
            }
            assertThat(watched.bytes.size() - before).isLessThan(20);
        }
    }

    @Test
    void a_narrow_terminal_gets_a_narrow_block() throws IOException {
        Watched watched = new Watched(30, 12, StandardCharsets.UTF_8);
        try (LiveView view = LiveView.live(watched.terminal, new PrintWriter(out), clock, this::heartbeat)) {
            view.training(0, 10, 4);
            steps(view, 0, 4);
            heartbeats.getLast().run();
            assertThat(watched.lines())
                    .containsExactly(
                            "training  step 5 of 10",
                            "████░░░░░░   40 %  12s left",
                            "reward  0.430 ↑  ▁▃▆█",
                            "groups  12 kept  4 dropped");
        }
    }

    @Test
    void a_terminal_that_cannot_show_blocks_gets_a_block_of_ascii() throws IOException {
        Watched watched = new Watched(60, 12, StandardCharsets.US_ASCII);
        try (LiveView view = LiveView.live(watched.terminal, new PrintWriter(out), clock, this::heartbeat)) {
            view.training(0, 10, 4);
            steps(view, 0, 4);
            heartbeats.getLast().run();
            assertThat(watched.lines().subList(1, 3))
                    .containsExactly(
                            "#######...........   40 %  12s left  24 images/s  8s so far", "reward  0.430 ^  _-*#");
        }
    }

    private void steps(LiveView view, int from, int to) {
        for (int step = from; step < to; step++) {
            for (int group = 0; group < 4; group++) {
                view.heard(ScriptedEvents.group(step, group));
            }
            clock.passSeconds(2);
            view.heard(ScriptedEvents.committed(step, .4 + .01 * step, 3));
        }
    }

    private Runnable heartbeat(Duration period, Runnable call) {
        heartbeats.add(call);
        return () -> {};
    }

    /** A terminal whose visible content is known. */
    private static final class Watched {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final LineDisciplineTerminal terminal;
        private final int columns;
        private final Charset charset;

        Watched(int columns, int rows, Charset charset) throws IOException {
            this.columns = columns;
            this.charset = charset;
            this.terminal = new LineDisciplineTerminal("watched", "xterm", bytes, charset);
            terminal.setSize(new Size(columns, rows));
        }

        ScreenOfText screen() {
            return ScreenOfText.after(bytes.toString(charset), columns);
        }

        List<String> lines() {
            return screen().lines();
        }
    }
}
