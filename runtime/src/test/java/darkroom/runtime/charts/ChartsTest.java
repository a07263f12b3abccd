package darkroom.runtime.charts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

final class ChartsTest {
    private static final Labels LABELS = new Labels("Loss", "mean", "steps", "loss in nats");
    private static final List<Supplier<String>> KINDS = List.of(
            () -> lines(new LineChart.Point(0, 1), new LineChart.Point(1, 3), new LineChart.Point(3, 2)),
            () -> StackedBars.of(
                    LABELS,
                    List.of(
                            new Layer("a", PageColor.BLUE, List.of(1.0, 2.0)),
                            new Layer("b", PageColor.RED, List.of(2.0, 1.0)))),
            () -> Histogram.of(
                    LABELS,
                    List.of(
                            new Layer("a", PageColor.BLUE, List.of(.1, .2, .2)),
                            new Layer("b", PageColor.RED, List.of(.3))),
                    4),
            () -> ChangeChart.of(
                    LABELS,
                    List.of(new ChangeChart.Change(
                            "add", OptionalDouble.of(.2), OptionalDouble.of(.6), OptionalDouble.of(.7))),
                    "clean base"));

    private static String lines(LineChart.Point... points) {
        return LineChart.of(
                LABELS,
                List.of(new LineChart.Series("policy", PageColor.BLUE, LineChart.Mark.DOTS, List.of(points))),
                List.of(new LineChart.Level("bound", PageColor.RED, 2)));
    }

    @Test
    void points_that_are_not_finite_are_dropped_and_counted() {
        String chart = LineChart.of(
                LABELS,
                List.of(new LineChart.Series(
                        "policy",
                        PageColor.BLUE,
                        LineChart.Mark.DOTS,
                        List.of(
                                new LineChart.Point(0, 1),
                                new LineChart.Point(1, Double.NaN),
                                new LineChart.Point(2, Double.POSITIVE_INFINITY),
                                new LineChart.Point(3, 2)))),
                List.of(new LineChart.Level("bound", PageColor.RED, Double.NaN)));
        assertThat(chart).doesNotContain("NaN", "Infinity").contains("mean; 3 values are not finite and are not drawn");
    }

    @Test
    void a_series_without_one_finite_point_leaves_axes_and_the_count() {
        String chart = LineChart.of(
                LABELS,
                List.of(new LineChart.Series(
                        "policy", PageColor.BLUE, LineChart.Mark.LINE, List.of(new LineChart.Point(0, Double.NaN)))),
                List.of());
        assertThat(chart)
                .doesNotContain("NaN")
                .contains("1 value is not finite and is not drawn", ">steps<", ">loss in nats<");
    }

    @Test
    void bars_that_are_not_finite_are_dropped_and_counted() {
        List<Layer> layers = List.of(
                new Layer("a", PageColor.BLUE, List.of(1.0, Double.NaN)),
                new Layer("b", PageColor.RED, List.of(Double.NEGATIVE_INFINITY, 2.0)));
        assertThat(List.of(StackedBars.of(LABELS, layers), Histogram.of(LABELS, layers, 4)))
                .allSatisfy(chart ->
                        assertThat(chart).doesNotContain("NaN", "Infinity").contains("2 values are not finite"));
        assertThat(Histogram.of(LABELS, List.of(new Layer("a", PageColor.BLUE, List.of(Double.NaN))), 4))
                .contains("1 value is not finite", ">steps<");
    }

    @Test
    void a_change_that_is_not_finite_is_dropped_and_counted() {
        assertThat(ChangeChart.of(
                        LABELS,
                        List.of(new ChangeChart.Change(
                                "add", OptionalDouble.of(Double.NaN), OptionalDouble.of(.6), OptionalDouble.empty())),
                        "clean base"))
                .doesNotContain("NaN")
                .contains("1 value is not finite", ">add<");
    }

    @Test
    void a_plot_refuses_a_value_that_is_not_finite() {
        assertThatThrownBy(() -> new Plot(100, 100)
                        .layer("line", Map.of("loss", List.of(1.0, Double.NaN)), Map.of("y", "loss"), Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("column \"loss\" of a line layer has a value that is not finite");
    }

    @Test
    void finite_values_are_all_drawn_under_axes_with_units() {
        for (Supplier<String> kind : KINDS) {
            assertThat(kind.get())
                    .contains("<figcaption>Loss ", ">steps<", "aria-label=\"Loss: loss in nats by steps\"")
                    .doesNotContain("not finite");
        }
    }

    /** P-7: Lets-Plot itself names the elements of each drawing at random. */
    @Test
    void equal_values_give_equal_bytes() {
        Locale before = Locale.getDefault();
        for (Supplier<String> kind : KINDS) {
            String first = kind.get();
            try {
                Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
                assertThat(kind.get()).isEqualTo(first);
            } finally {
                Locale.setDefault(before);
            }
        }
    }

    @Test
    void charts_of_one_page_share_no_id_and_refer_to_their_own_only() {
        Set<String> taken = new HashSet<>();
        for (Supplier<String> kind : KINDS) {
            String chart = kind.get();
            List<String> ids = new ArrayList<>();
            NodeList elements = parsed(chart).getElementsByTagName("*");
            for (int i = 0; i < elements.getLength(); i++) {
                String id = ((Element) elements.item(i)).getAttribute("id");
                if (!id.isEmpty()) {
                    ids.add(id);
                }
            }
            assertThat(ids).isNotEmpty().doesNotHaveDuplicates();
            assertThat(Pattern.compile("url\\(#([^)]*)\\)|#(chart-[\\w-]+)")
                            .matcher(chart)
                            .results()
                            .map(ChartsTest::reference))
                    .isNotEmpty()
                    .isSubsetOf(ids);
            assertThat(ids).allMatch(taken::add);
        }
    }

    private static String reference(MatchResult match) {
        return match.group(1) == null ? match.group(2) : match.group(1);
    }

    /** So that a page is legible in dark, too. */
    @Test
    void marks_and_texts_have_the_colours_of_the_page() {
        assertThat(lines(new LineChart.Point(0, 1), new LineChart.Point(1, 3)))
                .contains("stroke=\"var(--c0)\"", "stroke=\"var(--c3)\"", "stroke=\"var(--grid)\"", "fill: var(--soft)")
                .doesNotContain("rgb(0,114,178)", "xmlns", "font-family");
    }

    @Test
    void names_are_text_and_not_markup() {
        String chart = StackedBars.of(
                new Labels("a <b> & c", "", "steps", "\"n\""),
                List.of(
                        new Layer("<i>x</i>", PageColor.BLUE, List.of(1.0)),
                        new Layer("#chart", PageColor.RED, List.of(1.0))));
        assertThat(parsed(chart).getDocumentElement().getTextContent()).contains("a <b> & c", "<i>x</i>", "#chart");
    }

    /** P-9. */
    @Test
    void a_long_series_is_drawn_by_a_bounded_number_of_marks() {
        LineChart.Point[] points = IntStream.range(0, 20_000)
                .mapToObj(i -> new LineChart.Point(i, i % 7))
                .toArray(LineChart.Point[]::new);
        assertThat(lines(points)).hasSizeLessThan(200_000);
    }

    private static Document parsed(String chart) {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(chart)));
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new AssertionError("not well-formed: " + e.getMessage(), e);
        }
    }
}
