package darkroom.runtime.report;

import darkroom.runtime.base.HtmlPages;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** Numbers and texts as the report shows them, the same in every locale. */
final class ReportText {
    /** The text in place of a value that was not measured. */
    static final String ABSENT = "–";

    private ReportText() {}

    /** Returns the charts that there are, as markup. */
    static List<TemplateHTMLOutputModel> charts(List<Optional<String>> charts) {
        return charts.stream().flatMap(Optional::stream).map(HtmlPages::markup).toList();
    }

    /** Returns the text without characters that are not allowed in a page. */
    static String plain(String text) {
        return text.replaceAll("[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\uFFFE\\uFFFF\\p{Cs}]", "�");
    }

    /** Returns the value with so many decimals; a dash if it is absent. */
    static String fixed(OptionalDouble value, int decimals) {
        return value.isPresent() ? fixed(value.getAsDouble(), decimals) : ABSENT;
    }

    /** Returns the value with so many decimals. */
    static String fixed(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** Returns the value with its sign, and ± for one that is rounded to 0. */
    static String signed(double value, int decimals) {
        String digits = fixed(Math.abs(value), decimals);
        boolean zero = digits.chars().allMatch(c -> c == '0' || c == '.');
        return (zero ? "±" : value < 0 ? "−" : "+") + digits;
    }

    /** Returns the count with its thousands separated. */
    static String grouped(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** Returns seconds as hours, minutes and seconds. */
    static String time(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 60) {
            return fixed(seconds, 1) + " s";
        }
        return whole < 3600
                ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
    }
}
