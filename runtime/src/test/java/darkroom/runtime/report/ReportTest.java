package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.events.RunEvent;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.Recipes;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ReportTest {
    private static final int STEPS = 9;
    private static final RunDigests DIGESTS = new RunDigests("a".repeat(64), "b".repeat(64), "c".repeat(64));

    @TempDir
    Path run = Path.of("unset");

    @Test
    void a_summary_is_read_back_as_it_was_written() {
        Summary summary = finished();

        assertThat(Summary.read(run)).isEqualTo(summary);
    }

    @Test
    void a_summary_has_the_documented_keys() throws IOException {
        finished();
        var json = JsonLines.JSON.readTree(Files.readString(run.resolve("summary.json")));

        assertThat(json.get("steps").intValue()).isEqualTo(STEPS);
        assertThat(json.get("seed").isIntegralNumber()).isTrue();
        assertThat(json.at("/digests/weights").textValue()).isEqualTo(DIGESTS.weights());
        assertThat(json.at("/digests/optimizer").textValue()).isEqualTo(DIGESTS.optimizer());
        assertThat(json.at("/digests/decisions").textValue()).isEqualTo(DIGESTS.decisions());
        for (String figure : List.of("reward", "groundTruth", "psnrOutside")) {
            assertThat(json.at("/" + figure + "/start").isNumber()).isTrue();
            assertThat(json.at("/" + figure + "/end").isNumber()).isTrue();
            assertThat(json.at("/" + figure + "/gain/low").doubleValue())
                    .isLessThanOrEqualTo(json.at("/" + figure + "/gain/mean").doubleValue());
        }
        assertThat(json.at("/counts/kept").intValue()
                        + json.at("/counts/dropped").intValue()
                        + json.at("/counts/abandoned").intValue())
                .isEqualTo(STEPS * RecordedRun.GROUPS);
        assertThat(json.at("/counts/unscored").intValue())
                .isEqualTo(json.at("/counts/images/unscored").intValue())
                .isPositive();
        assertThat(json.at("/timings/learning").doubleValue()).isCloseTo(STEPS * .95, within(1e-9));
        assertThat(json.at("/timings/held-out-before").doubleValue()).isEqualTo(12);
        assertThat(json.at("/end/kind").textValue()).isEqualTo("rule");
        assertThat(json.at("/cleanReference/groundTruth").isNumber()).isTrue();
    }

    @Test
    void the_gain_is_that_of_paired_rows() {
        Summary.Figure truth = finished().groundTruth();
        Summary.Gain gain = Objects.requireNonNull(truth.gain());

        assertThat(gain.mean())
                .isCloseTo(truth.end().orElseThrow() - truth.start().orElseThrow(), within(1e-9));
        assertThat(gain.tasks()).isEqualTo(RecordedRun.HELD_OUT);
        assertThat(gain.better()).isEqualTo(1);
    }

    @Test
    void a_run_that_measured_nothing_has_no_figures() {
        try (RecordedRun events = new RecordedRun(STEPS);
                RunRecorder recorder = events.recorder(run)) {
            events.step(recorder, 0, true);
            Summary summary =
                    Summary.of(run, events.settings(), DIGESTS, 1, new RunEvent.End.Failed("a device broke"), Map.of());
            summary.write(run);
            assertThat(summary.reward().start()).isEmpty();
            assertThat(summary.reward().gain()).isNull();
            assertThat(summary.cleanReference()).isNull();
            assertThat(Summary.read(run)).isEqualTo(summary);
        }
        Report.write(run);
        assertThat(html()).contains("Failed after 1 of 9 steps: a device broke");
    }

    @Test
    void the_report_shows_figures_charts_decisions_sheets_times_and_settings() {
        finished();
        Report.write(run);

        assertThat(html())
                .contains("embedded-demo from the mixed base, seed 0")
                .contains("Ended by rule after 9 of 9 steps: the measure &lt;stalled&gt;.")
                .contains("better on 100\u00a0% of 14\u00a0tasks")
                .contains("clean base without reinforcement")
                .contains("Spread within groups", "Decisions", "dropped by rule AND", "scored-min")
                .contains("All 54 decisions", "decisions.jsonl")
                .contains("the scorer answered &lt;b&gt;&quot;I&#39;d rather not&quot;&lt;/b&gt; &amp; hung up")
                .contains("its coordinator died; the log says why")
                .contains("red-box", "reference", "held-out-before", DIGESTS.weights(), "groups-per-step")
                .contains("prefers-color-scheme: dark");
        Document page = parsed();
        assertThat(elements(page, "img").getLength()).isGreaterThan(200);
        assertThat(elements(page, "script").getLength()).isZero();
    }

    @Test
    void the_report_of_a_run_contains_each_chart() {
        finished();
        Report.write(run);
        NodeList figures = elements(parsed(), "figure");
        List<String> charts = new ArrayList<>();
        for (int i = 0; i < figures.getLength(); i++) {
            Element figure = (Element) figures.item(i);
            if (figure.getAttribute("class").startsWith("chart")) {
                Element svg = (Element) figure.getElementsByTagName("svg").item(0);
                assertThat(svg.getAttribute("viewBox")).matches("0 0 \\d+ \\d+");
                charts.add(svg.getAttribute("aria-label"));
            }
        }
        assertThat(charts)
                .containsExactly(
                        "Ground truth: ground truth, 0 to 1 by steps",
                        "Reward: reward, 0 to 1 by steps",
                        "Policy loss: loss by steps",
                        "Gradient norm: L2 norm by steps",
                        "Ground truth by task type: task type by agreement with the exact target, 0 to 1",
                        "Spread within groups: % of the groups by standard deviation of the rewards",
                        "Decisions: groups per step by steps",
                        "Speed: images per second by steps");
        assertThat(html()).contains("the value of %s of %s optimizer steps is not finite".formatted(STEPS, 2 * STEPS));
    }

    @Test
    void a_report_that_is_written_again_is_the_same_bytes() {
        finished();
        Report.write(run);
        String first = html();
        Report.write(run);
        assertThat(html()).isEqualTo(first);
    }

    @Test
    void the_report_loads_nothing() {
        finished();
        Report.write(run);

        assertThat(html()).doesNotContain("http://", "https://", "@import");
        assertThat(html()).doesNotContainPattern("url\\((?!#chart-)");
        NodeList all = elements(parsed(), "*");
        for (int i = 0; i < all.getLength(); i++) {
            Element element = (Element) all.item(i);
            assertThat(element.getAttribute("src")).matches("|data:image/png;base64,[A-Za-z0-9+/=]+");
            assertThat(element.getAttribute("href")).matches("|#[a-z-]+|[a-z]+\\.jsonl?");
        }
    }

    @Test
    void a_run_that_goes_on_has_a_report_too() {
        try (RecordedRun events = new RecordedRun(STEPS);
                RunRecorder recorder = events.recorder(run)) {
            events.heldOut(recorder, Evaluations.HELD_OUT_BEFORE, .3);
            events.step(recorder, 0, true);
            Report.write(run);
        }
        assertThat(html()).contains("This run has not ended", "measured before and after a whole run");
        parsed();
    }

    @Test
    void a_run_without_a_step_has_a_report_too() {
        Report.write(run);

        assertThat(html()).contains("This run has not ended", "All 0 decisions");
        parsed();
    }

    /** P-9. */
    @Test
    void a_long_run_has_a_bounded_report() throws IOException {
        try (RecordedRun events = new RecordedRun(150);
                RunRecorder recorder = events.recorder(run)) {
            for (int step = 0; step < 150; step++) {
                events.step(recorder, step, true);
            }
        }
        Report.write(run);
        assertThat(html()).contains("The newest 400 of 900 decisions.");
        assertThat(Files.size(run.resolve("report.html"))).isLessThan(4 << 20);
    }

    @Test
    void figures_do_not_follow_the_machine_s_language() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            finished();
            Report.write(run);
            assertThat(html()).doesNotContainPattern(Pattern.compile("[٠-٩]"));
        } finally {
            Locale.setDefault(before);
        }
    }

    private Summary finished() {
        try (RecordedRun events = new RecordedRun(STEPS);
                RunRecorder recorder = events.recorder(run)) {
            RunDirectory.write(run.resolve("settings.conf"), Recipes.render(events.settings()));
            events.heldOut(recorder, Evaluations.HELD_OUT_BEFORE, .3);
            events.heldOut(recorder, Evaluations.CLEAN_REFERENCE, .6);
            for (int step = 0; step < STEPS; step++) {
                events.step(recorder, step, true);
                if (step % 3 == 2) {
                    events.validation(recorder, step + 1);
                }
            }
            events.end(recorder, new RunEvent.End.Completed());
            events.heldOut(recorder, Evaluations.HELD_OUT_AFTER, .7);
            Summary summary = Summary.of(
                    run,
                    events.settings(),
                    DIGESTS,
                    STEPS,
                    new RunEvent.End.ByRule("the measure <stalled>"),
                    Map.of("held-out-before", Duration.ofSeconds(12)));
            summary.write(run);
            return summary;
        }
    }

    private String html() {
        try {
            return Files.readString(run.resolve("report.html"));
        } catch (IOException e) {
            throw RunDirectory.failed("read", run.resolve("report.html"), e);
        }
    }

    private static NodeList elements(Document page, String name) {
        return page.getElementsByTagName(name);
    }

    /** Parses the page; fails if it is not well-formed XML. */
    private Document parsed() {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(html().strip())));
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new AssertionError("report.html is not well-formed: " + e.getMessage(), e);
        }
    }
}
