package darkroom.rewardactors.suites;

import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.protocol.ScorerFault;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the answer of a judge of ImgEdit-Bench: lines {@code name: digits}, as the public script does ({@code
 * step1_get_avgscore.py}), but stricter.
 *
 * <p>A line is a grade if its only colon is followed by nothing but digits. Markdown is ignored: bullets and {@code #} before
 * the name, {@code *}, {@code _} and {@code `} anywhere. {@code 4/5}, {@code 4.5} and {@code 4, since} are not grades. The
 * reasoning of a model, up to the last {@code </think>}, is not read. There must be exactly {@link #GRADES} grades, each from
 * {@link #LOWEST} to {@link #HIGHEST} and under a different name; the public script takes the mean of any number of grades,
 * of any size.
 */
public final class GradeLines {
    public static final int GRADES = 3;
    static final int LOWEST = 1;
    static final int HIGHEST = 5;

    private static final Pattern MARKUP = Pattern.compile("^[\\s>#\\-•+]+|[*_`]");
    private static final Pattern GRADE = Pattern.compile("([^:\\uFF1A]*[^:\\uFF1A\\s])\\s*[:\\uFF1A]\\s*([0-9]+)");

    private GradeLines() {}

    public static List<Double> read(String text) throws FaultyAnswerException {
        List<Double> grades = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String line : JudgeText.withoutThoughts(text).lines().toList()) {
            Matcher grade =
                    GRADE.matcher(MARKUP.matcher(line.strip()).replaceAll("").strip());
            if (!grade.matches()) {
                continue;
            }
            if (!names.add(grade.group(1).toLowerCase(Locale.ROOT))) {
                throw fault("double-grade", "\"" + grade.group(1) + "\" is graded twice");
            }
            String digits = grade.group(2);
            if (digits.length() > 1 || digits.charAt(0) < '0' + LOWEST || digits.charAt(0) > '0' + HIGHEST) {
                throw fault(
                        "out-of-range",
                        "\"%s\" is graded %s; grades are %d to %d".formatted(grade.group(1), digits, LOWEST, HIGHEST));
            }
            grades.add((double) (digits.charAt(0) - '0'));
        }
        if (grades.size() != GRADES) {
            throw fault(
                    "no-grades",
                    "%d lines \"name: digit\" where %d were asked for, in: %s".formatted(grades.size(), GRADES, text));
        }
        return List.copyOf(grades);
    }

    private static FaultyAnswerException fault(String code, String detail) {
        return new FaultyAnswerException(ScorerFault.passing(code, detail));
    }
}
