package darkroom.runtime.studies;

import freemarker.core.TemplateHTMLOutputModel;
import java.util.List;

/**
 * The data model of {@code align.html}. Public, as the template engine reads no other classes.
 *
 * @param standIn the substitute for human preferences; empty if people preferred
 * @param methods names of the columns of {@code tasks}
 * @param charts distributions of scores, one chart per method
 */
public record AlignPage(
        String title,
        String facts,
        String standIn,
        List<Line> lines,
        List<String> methods,
        List<Task> tasks,
        List<TemplateHTMLOutputModel> charts) {

    /** One method. */
    public record Line(
            String method, int pairs, int unscored, String untied, String tiesHalf, String strict, String ties) {}

    /**
     * One task type.
     *
     * @param pairs number of pairs that were not annotated as equivalent
     * @param untied agreement, in the order of the methods
     */
    public record Task(String name, int pairs, List<String> untied) {}
}
